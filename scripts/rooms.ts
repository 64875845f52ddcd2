/** What the files of one room may import. */
export interface Room {
  /** Path in `src`: a folder, or a file without its ending. */
  readonly path: string;
  /** Rooms and single files (without ending) that it may import. */
  readonly rooms: readonly string[];
  /** Packages that it may import; `node:` stands for all modules of Node. */
  readonly packages: readonly string[];
}

/** Files that put the rooms together: they may import everything. */
export const compositionRoots: readonly string[] = [
  'index',
  'run',
  'run-dashboard',
  'run-until-signal',
  'connect',
  'open-log',
  'read-state',
  'stores-to-read',
];

const nouns = ['record', 'errors', 'options'];
const values = [...nouns, 'serdes'];
/** What pipelines are made of. */
const parts = [
  ...values,
  'metrics',
  'protocol',
  'aggregators',
  'windows',
  'state',
  'joins',
  'pacing',
  'dataflow',
  'operators',
  'sinks',
  'streams',
  'tables',
];
/** What stands on the transport contract. */
const onLog = [...nouns, 'protocol', 'state', 'dataflow/clock', 'dataflow/soon', 'log/transport', 'log/awaitable'];

/**
 * The rooms, lowest first: arrows of imports point upwards in this list, so there can be no cycle between rooms. Test
 * files (`*.test.ts`, `*.test-d.ts`, `*.fixtures.ts`) stand outside of it.
 */
export const rooms: readonly Room[] = [
  { path: 'record', rooms: [], packages: [] },
  { path: 'errors', rooms: [], packages: [] },
  { path: 'options', rooms: ['record', 'errors'], packages: [] },
  {
    path: 'protocol',
    rooms: nouns,
    packages: ['node:', '@bokuweb/zstd-wasm', 'snappyjs'],
  },
  { path: 'metrics', rooms: nouns, packages: [] },
  { path: 'serdes', rooms: nouns, packages: ['@msgpack/msgpack', '@standard-schema/spec'] },
  { path: 'aggregators', rooms: values, packages: [] },
  { path: 'windows', rooms: [...values, 'aggregators'], packages: [] },
  { path: 'state', rooms: [...values, 'protocol', 'aggregators', 'windows'], packages: ['@msgpack/msgpack'] },
  { path: 'joins', rooms: [...values, 'state'], packages: [] },
  { path: 'pacing', rooms: [...values, 'state'], packages: [] },
  { path: 'dataflow', rooms: [...values, 'protocol', 'metrics', 'state'], packages: ['rxjs'] },
  { path: 'log', rooms: [...values, 'protocol', 'state', 'dataflow'], packages: ['node:'] },
  {
    path: 'operators',
    rooms: [...values, 'aggregators', 'windows', 'state', 'joins', 'pacing', 'dataflow'],
    packages: ['rxjs'],
  },
  { path: 'sinks', rooms: [...values, 'protocol', 'dataflow', 'log/encode'], packages: ['rxjs'] },
  { path: 'streams', rooms: [...values, 'protocol', 'state', 'dataflow', 'sinks'], packages: ['rxjs'] },
  {
    path: 'tables',
    rooms: [...values, 'aggregators', 'state', 'dataflow', 'operators', 'streams'],
    packages: ['rxjs'],
  },
  { path: 'plan', rooms: [...values, 'dataflow', 'log'], packages: ['rxjs'] },
  { path: 'runtime/task', rooms: [...parts, 'log', 'plan'], packages: ['rxjs'] },
  { path: 'runtime/app', rooms: [...parts, 'log', 'plan', 'runtime/task'], packages: ['rxjs', 'node:'] },
  { path: 'transports/local', rooms: onLog, packages: [] },
  { path: 'transports/memory', rooms: [...onLog, 'transports/local'], packages: [] },
  { path: 'transports/embedded', rooms: [...onLog, 'transports/local'], packages: ['node:', 'lmdb'] },
  {
    path: 'transports/kafka',
    rooms: [...nouns, 'protocol', 'state', 'dataflow', 'log', 'transports/local'],
    packages: ['node:', 'kafkajs'],
  },
  {
    path: 'client',
    rooms: [...values, 'protocol', 'dataflow', 'sinks', 'streams', 'log'],
    packages: ['rxjs', 'node:'],
  },
  // Dead letters, for all that show and replay them.
  { path: 'letters', rooms: ['record', 'errors', 'serdes', 'streams', 'log', 'client'], packages: [] },
  // Plain data in, text out: for the command, and for a browser.
  { path: 'graph', rooms: ['plan/graph'], packages: ['@dagrejs/dagre'] },
  {
    path: 'terminal',
    rooms: [...nouns, 'dataflow', 'runtime/app'],
    packages: ['rxjs', 'node:'],
  },
  {
    path: 'dashboard',
    rooms: [...parts, 'log', 'plan/graph', 'graph', 'runtime/app', 'client', 'letters'],
    packages: ['rxjs', 'node:'],
  },
  {
    path: 'opentelemetry',
    rooms: ['record', 'dataflow/clock', 'metrics', 'log', 'runtime/task', 'runtime/app'],
    packages: ['node:', '@opentelemetry/api'],
  },
  {
    path: 'cli',
    // What every user has, and pictures: a command needs nothing else.
    rooms: [
      'index',
      'dashboard',
      'options/counted',
      'options/nearest',
      'options/duration',
      'log/name-hash',
      'log/read-letter',
      'letters',
      'transports/kafka',
      'graph',
    ],
    packages: ['node:', 'commander', 'jiti'],
  },
  {
    path: 'testing',
    rooms: [...parts, 'log', 'plan', 'runtime/task', 'runtime/app', 'transports/memory'],
    packages: ['rxjs', 'fast-check', '@standard-schema/spec'],
  },
];

/** The rooms as a mermaid graph; arrows that follow from others are left out. */
export function drawRooms(): string {
  const reaches = (from: string, to: string): boolean =>
    (rooms.find((room) => room.path === from)?.rooms ?? []).some((next) => next === to || reaches(next, to));
  const lines = rooms.flatMap((room) =>
    room.rooms
      .filter((to) => !room.rooms.some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${room.path} --> ${to}`),
  );
  return ['graph BT', ...lines].join('\n');
}
