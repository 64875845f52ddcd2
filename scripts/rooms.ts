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
export const compositionRoots: readonly string[] = ['index', 'run', 'run-until-signal', 'connect', 'open-log'];

const nouns = [
  'record',
  'errors',
  'duration',
  'option-checks',
  'promises',
  'batch-options',
  'topic-config',
  'record-policy',
  'durability',
];
const values = [...nouns, 'serdes'];
/** What pipelines are made of. */
const parts = [
  ...values,
  'protocol',
  'aggregators',
  'windows',
  'state',
  'topology',
  'operators',
  'sinks',
  'streams',
  'tables',
];

/**
 * The rooms, lowest first: arrows of imports point upwards in this list, so there can be no cycle between rooms. Test
 * files (`*.test.ts`, `*.test-d.ts`, `*.fixtures.ts`) stand outside of it.
 */
export const rooms: readonly Room[] = [
  { path: 'record', rooms: [], packages: [] },
  { path: 'errors', rooms: [], packages: [] },
  { path: 'duration', rooms: ['errors'], packages: [] },
  { path: 'durability', rooms: [], packages: [] },
  { path: 'nearest', rooms: [], packages: [] },
  { path: 'option-checks', rooms: ['errors', 'nearest'], packages: [] },
  { path: 'promises', rooms: ['errors', 'option-checks'], packages: [] },
  { path: 'batch-options', rooms: ['duration', 'option-checks'], packages: [] },
  { path: 'topic-config', rooms: ['option-checks'], packages: [] },
  { path: 'record-policy', rooms: ['record', 'errors', 'duration', 'option-checks'], packages: [] },
  {
    path: 'protocol',
    rooms: nouns,
    packages: ['node:', '@bokuweb/zstd-wasm', 'lz4-napi', 'snappyjs'],
  },
  { path: 'serdes', rooms: nouns, packages: ['@msgpack/msgpack', '@standard-schema/spec'] },
  { path: 'aggregators', rooms: values, packages: [] },
  { path: 'windows', rooms: [...values, 'aggregators'], packages: [] },
  { path: 'state', rooms: [...values, 'protocol', 'aggregators', 'windows'], packages: ['@msgpack/msgpack'] },
  { path: 'topology', rooms: [...values, 'protocol', 'state'], packages: ['rxjs'] },
  { path: 'operators', rooms: [...values, 'aggregators', 'windows', 'state', 'topology'], packages: ['rxjs'] },
  { path: 'sinks', rooms: [...values, 'nearest', 'protocol', 'topology'], packages: ['rxjs'] },
  { path: 'streams', rooms: [...values, 'protocol', 'state', 'topology', 'sinks'], packages: ['rxjs'] },
  {
    path: 'tables',
    rooms: [...values, 'state', 'topology', 'operators', 'streams'],
    packages: ['rxjs'],
  },
  { path: 'runtime', rooms: [...parts, 'nearest'], packages: ['rxjs', 'node:'] },
  {
    path: 'transports/local',
    rooms: [...nouns, 'protocol', 'state', 'runtime/transport'],
    packages: [],
  },
  {
    path: 'transports/memory',
    rooms: [...nouns, 'protocol', 'state', 'runtime/transport', 'transports/local'],
    packages: [],
  },
  {
    path: 'transports/embedded',
    rooms: [...nouns, 'protocol', 'state', 'runtime/transport', 'transports/local'],
    packages: ['node:', 'lmdb'],
  },
  {
    path: 'transports/kafka',
    rooms: [...nouns, 'protocol', 'state', 'topology', 'runtime', 'transports/local'],
    packages: ['node:', 'kafkajs'],
  },
  {
    path: 'client',
    rooms: [...values, 'protocol', 'topology', 'sinks', 'streams', 'runtime'],
    packages: ['rxjs', 'node:'],
  },
  {
    path: 'cli',
    // What every user has: a command needs nothing else.
    rooms: ['index', 'nearest'],
    packages: ['node:', 'commander'],
  },
  { path: 'testing', rooms: [...parts, 'nearest', 'runtime', 'transports/memory'], packages: ['rxjs', 'fast-check'] },
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
