import type { Client, Pipeline, Target } from 'millrace';

export const PARTITIONS = 2;
/** Numbers that are published together, in another order than that of their times. */
export const BLOCK = 20;
/** Event time between numbers: twenty a second keep up with the clock. */
const STEP_MS = 50;
/** More than the time by which one partition falls behind the other while nobody reads it. */
const GRACE_MS = 30_000;
export const GRACE = `${GRACE_MS}ms` as const;

/** A row of the output, in the order of its partition. */
export interface OutputRow {
  readonly key: string;
  readonly value: string | null;
}

/** What a comparison of the output with a direct computation has found, each in words. */
export interface Judgement {
  readonly lost: readonly string[];
  readonly repeated: readonly string[];
  readonly wrong: readonly string[];
}

/** A pipeline, what it is fed with, and what must come of that. */
export interface Workload {
  readonly pipeline: Pipeline;
  /** Topics that must be there, all with as many partitions. */
  readonly topics: readonly string[];
  /** Topics of which everything is to be read and committed. */
  readonly read: readonly string[];
  readonly output: string;
  /** Publishes the numbers of a block. */
  publish(client: Client, start: number, numbers: readonly number[]): Promise<unknown>;
  /** Publishes what lets all windows of the numbers below `count` close, in each partition. */
  close(client: Client, start: number, count: number): Promise<void>;
  judge(rows: readonly OutputRow[], start: number, count: number): Judgement;
}

/** The numbers of a block, mixed. */
export const numbersFrom = (first: number): number[] =>
  Array.from({ length: BLOCK }, (_, i) => first + ((i * 7) % BLOCK));

export const timeOf = (start: number, n: number): number => start + n * STEP_MS;
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

export const textsOf = (rows: ReadonlyMap<string, object>): Map<string, string> =>
  new Map([...rows].map(([at, row]) => [at, JSON.stringify(row)]));

/** Each expected row once, and no other. */
export function compare(
  expected: ReadonlyMap<string, string>,
  rows: readonly (readonly [at: string, value: string | null])[],
): Judgement {
  const found = new Map<string, (string | null)[]>();
  for (const [at, value] of rows) found.set(at, [...(found.get(at) ?? []), value]);
  const [lost, repeated, wrong]: [string[], string[], string[]] = [[], [], []];
  for (const [at, value] of expected) {
    const values = found.get(at) ?? [];
    if (values.length === 0) lost.push(`${at}: ${value}`);
    if (values.length > 1) repeated.push(`${at}: ${values.join(' ')}`);
    if (values.some((each) => each !== value)) wrong.push(`${at}: ${values.join(' ')}, and not ${value}`);
  }
  for (const [at, values] of found) if (!expected.has(at)) wrong.push(`${at}: ${values.join(' ')}`);
  return { lost, repeated, wrong };
}

/** Publishes a record of a key of its own to each partition, so late that all that was before it closes. */
export async function closing(
  client: Client,
  into: Target<string, number>,
  value: number,
  timestamp: number,
): Promise<void> {
  const reached = new Set<number>();
  for (let i = 0; reached.size < PARTITIONS; i++) {
    // Later than the grace by more than the bounds of a join.
    const record = { key: `end-${i}`, value, timestamp: timestamp + GRACE_MS + 10_000 };
    reached.add((await client.publish(into, record)).partition);
  }
}
