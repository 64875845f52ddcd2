import {
  agg,
  countByKey,
  filterValues,
  int32,
  joinStream,
  json,
  keyBy,
  keyValue,
  mapAsync,
  mapRecord,
  mapValues,
  type Pipeline,
  process,
  string,
  suppress,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { CLOSERS, type Input } from './inputs.ts';
import type { Random } from './random.ts';

const WINDOW_MS = 10_000;
const WITHIN_MS = 5000;

/** What is to be found in a topic in the end. */
export interface Rows {
  readonly topic: string;
  /** What a row is called and is worth: its value, or its key with its value as a number. */
  readonly named: 'value' | 'key';
  /** Whether each row comes once, or only the last one of its name counts. */
  readonly counts: 'each' | 'last';
  /** The value of each row, by its name. */
  readonly values: ReadonlyMap<string, number>;
}

/** A program of which it is known what it writes. */
export interface Program {
  readonly pipeline: Pipeline;
  /** Topics that are there before, by their partitions. */
  readonly topics: ReadonlyMap<string, number>;
  /** First the copies of all inputs, then the results. */
  readonly expected: (inputs: readonly Input[]) => readonly Rows[];
}

export interface ProgramShape {
  readonly program: ProgramName;
  readonly sources: number;
  readonly shuffles: number;
  /** How late records may be, in ms. */
  readonly graceMs: number;
}

const source = topic('source', { key: string(), value: string() });
const copies = topic('copies', { key: string(), value: string() });
const shuffle = topic('shuffle', { key: string(), value: string() });
const other = topic('other', { key: string(), value: string() });
const results = topic('results', { key: string(), value: int32() });
const pairs = topic('results', { key: string(), value: string() });

const keyOf = (id: number): string => `n${id % CLOSERS}`;
const byNumber = keyBy((id: string) => keyOf(Number(id)));
const add = (sums: Map<string, number>, name: string): Map<string, number> => sums.set(name, (sums.get(name) ?? 0) + 1);

/** Records by key and window, of all windows that the last record has closed. */
function windowsOf(inputs: readonly Input[], graceMs: number): Map<string, number> {
  const last = Math.max(...inputs.map(({ timestamp }) => timestamp));
  const windows = new Map<string, number>();
  for (const { id, timestamp } of inputs) {
    const start = timestamp - (timestamp % WINDOW_MS);
    if (start + WINDOW_MS + graceMs <= last) add(windows, `${keyOf(id)} ${start}`);
  }
  return windows;
}

type Make = (
  shape: ProgramShape,
  /** A while, as something takes that is asked for. */
  pause: () => Promise<void>,
) => {
  readonly pipeline: Observable<unknown>;
  readonly rows: (inputs: readonly Input[]) => Omit<Rows, 'topic'>;
};

const PROGRAMS = {
  /** Counts by key and window. The key of a row says which window it is of. */
  windows: ({ graceMs }) => ({
    pipeline: source.pipe(
      byNumber,
      through(shuffle),
      windowBy(tumbling({ size: `${WINDOW_MS}ms`, grace: `${graceMs}ms` }), agg.count(), { store: 'counts' }),
      mapRecord((row) => ({ ...row, key: `${row.key} ${row.window.start}` })),
      to(results),
    ),
    rows: (inputs) => ({ named: 'key', counts: 'each', values: windowsOf(inputs, graceMs) }),
  }),
  /** The same by hand, with timers. */
  timers: ({ graceMs }) => ({
    pipeline: source.pipe(
      byNumber,
      through(shuffle),
      process({
        name: 'by-hand',
        stores: { open: keyValue('open', { value: json<Record<string, number>>() }) },
        timers: { close: 'stream-time' },
        next({ timestamp }, { key, stores, streamTime, timers }) {
          const start = timestamp - (timestamp % WINDOW_MS);
          // At least once, a record that is written twice may be late the second time.
          if (start + WINDOW_MS + graceMs <= streamTime) return;
          const open = stores.open.get(key) ?? {};
          stores.open.set(key, { ...open, [start]: (open[start] ?? 0) + 1 });
          timers.close.add(start + WINDOW_MS + graceMs);
        },
        due: {
          close({ key, time }, { emit, stores }) {
            const start = time - graceMs - WINDOW_MS;
            const { [start]: count, ...rest } = stores.open.get(key) ?? {};
            stores.open.set(key, rest);
            emit(`${start} ${count ?? 0}`);
          },
        },
      }),
      mapRecord(({ value, ...row }) => {
        const [start, count] = value.split(' ');
        return { ...row, key: `${row.key} ${start}`, value: Number(count) };
      }),
      to(results),
    ),
    rows: (inputs) => ({ named: 'key', counts: 'each', values: windowsOf(inputs, graceMs) }),
  }),
  /** A table of how many there are by key. */
  counts: () => ({
    pipeline: source.pipe(byNumber, through(shuffle), countByKey({ store: 'counts' }), to(results)),
    rows: (inputs) => {
      const values = new Map<string, number>();
      for (const { id } of inputs) add(values, keyOf(id));
      return { named: 'key', counts: 'last', values };
    },
  }),
  /** Even ids with odd ones of the same key and about the same time, and those without. */
  pairs: ({ graceMs }) => {
    const half = (rest: number) => filterValues((id: string) => Number(id) % 2 === rest);
    const odd = source.pipe(half(1), byNumber, through(other));
    return {
      pipeline: source.pipe(
        half(0),
        byNumber,
        through(shuffle),
        joinStream(odd, (left, right) => `${left}+${right ?? ''}`, {
          store: 'pairs',
          within: `${WITHIN_MS}ms`,
          grace: `${graceMs}ms`,
          type: 'left',
        }),
        to(pairs),
      ),
      rows: (inputs) => {
        const last = Math.max(...inputs.map(({ timestamp }) => timestamp));
        const values = new Map<string, number>();
        for (const left of inputs) {
          if (left.id % 2 !== 0) continue;
          const partners = inputs.filter(
            (right) =>
              right.id % 2 === 1 &&
              keyOf(right.id) === keyOf(left.id) &&
              Math.abs(right.timestamp - left.timestamp) <= WITHIN_MS,
          );
          for (const right of partners) values.set(`${left.id}+${right.id}`, 1);
          if (partners.length === 0 && left.timestamp + WITHIN_MS + graceMs < last) values.set(`${left.id}+`, 1);
        }
        return { named: 'value', counts: 'each', values };
      },
    };
  },
} satisfies Record<string, Make>;

/** Calls that take their time, and some that fail, before the same count. */
const asyncs: Make = (shape, pause) => ({
  ...PROGRAMS.counts(),
  pipeline: source.pipe(
    mapAsync(
      async (id, { attempt }) => {
        await pause();
        if (attempt < 3 && Number(id) % 7 === 0) throw new Error(`call ${attempt} for ${id} fails`);
        return id;
      },
      { concurrency: 1 + (shape.sources % 3) * 3, retries: 3 },
    ),
    byNumber,
    through(shuffle),
    countByKey({ store: 'counts' }),
    to(results),
  ),
});

/** The same windows, whose rows wait in a store of another step. */
const suppressed: Make = (shape) => ({
  ...PROGRAMS.windows(shape),
  pipeline: source.pipe(
    byNumber,
    through(shuffle),
    windowBy(tumbling({ size: `${WINDOW_MS}ms`, grace: `${shape.graceMs}ms` }), agg.count(), {
      store: 'counts',
      emit: 'updates',
    }),
    suppress({ until: 'close', store: 'held' }),
    mapRecord((row) => ({ ...row, key: `${row.key} ${row.window.start}`, value: row.value ?? 0 })),
    to(results),
  ),
});

type SyncName = keyof typeof PROGRAMS;
export type ProgramName = SyncName | 'asyncs' | 'suppressed';
const NAMES = Object.keys(PROGRAMS) as SyncName[];

/** @param more - Decides about what was added later. */
export function pickProgram(random: Random, more: Random): ProgramName {
  const name = random.pick(NAMES);
  if (more.chance(0.15)) return 'asyncs';
  return name === 'windows' && more.chance(0.4) ? 'suppressed' : name;
}

function makeOf(program: ProgramName): Make {
  if (program === 'asyncs') return asyncs;
  return program === 'suppressed' ? suppressed : PROGRAMS[program];
}

/** Copies every record, and does what its name says with it behind a shuffle. */
export function makeProgram(shape: ProgramShape, pause: () => Promise<void>): Program {
  const { program } = shape;
  const { pipeline, rows } = makeOf(program)(shape, pause);
  const copy = source.pipe(
    mapValues((id) => id),
    to(copies),
  );
  return {
    pipeline: [copy, pipeline],
    topics: new Map([
      ['source', shape.sources],
      ['copies', shape.sources],
      ['shuffle', shape.shuffles],
      ...(shape.program === 'pairs' ? ([['other', shape.shuffles]] as const) : []),
      ['results', 2],
    ]),
    expected: (inputs) => [
      {
        topic: 'copies',
        named: 'value',
        counts: 'each',
        values: new Map(inputs.map(({ id }) => [String(id), 1])),
      },
      { topic: 'results', ...rows(inputs) },
    ],
  };
}
