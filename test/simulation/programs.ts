import {
  agg,
  int32,
  keyBy,
  mapRecord,
  mapValues,
  type Pipeline,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { CLOSERS, type Input } from './inputs.ts';

const WINDOW_MS = 10_000;

/** What is to be found in a topic in the end: rows by name, and how often each at least and at most. */
export interface Rows {
  readonly topic: string;
  /** The value of each row, by its name. */
  readonly values: ReadonlyMap<string, number>;
}

/** A program of which it is known what it writes. */
export interface Program {
  readonly pipeline: Pipeline;
  /** Topics that are there before, by their partitions. */
  readonly topics: ReadonlyMap<string, number>;
  readonly expected: (inputs: readonly Input[]) => readonly Rows[];
}

export interface ProgramShape {
  readonly sources: number;
  readonly shuffles: number;
  /** How late records may be, in ms. */
  readonly graceMs: number;
}

/**
 * Copies every record, and counts records by key and window behind a shuffle. The key of a row says which window it is of.
 */
export function countingProgram({ graceMs, shuffles, sources }: ProgramShape): Program {
  const source = topic('source', { key: string(), value: string() });
  const copies = topic('copies', { key: string(), value: string() });
  const shuffle = topic('shuffle', { key: string(), value: string() });
  const counts = topic('counts', { key: string(), value: int32() });
  const copy = source.pipe(
    mapValues((id) => id),
    to(copies),
  );
  const counting = source.pipe(
    keyBy((id: string) => `n${Number(id) % CLOSERS}`),
    through(shuffle),
    windowBy(tumbling({ size: `${WINDOW_MS}ms`, grace: `${graceMs}ms` }), agg.count(), { store: 'counts' }),
    mapRecord((row) => ({ ...row, key: `${row.key} ${row.window.start}` })),
    to(counts),
  );
  return {
    pipeline: [copy, counting],
    topics: new Map([
      ['source', sources],
      ['copies', sources],
      ['shuffle', shuffles],
      ['counts', 2],
    ]),
    expected: (inputs) => {
      const windows = new Map<string, number>();
      const last = Math.max(...inputs.map(({ timestamp }) => timestamp));
      for (const { id, timestamp } of inputs) {
        const start = timestamp - (timestamp % WINDOW_MS);
        if (start + WINDOW_MS + graceMs > last) continue;
        const name = `n${id % CLOSERS} ${start}`;
        windows.set(name, (windows.get(name) ?? 0) + 1);
      }
      return [
        { topic: 'copies', values: new Map(inputs.map(({ id }) => [String(id), 1])) },
        { topic: 'counts', values: windows },
      ];
    },
  };
}
