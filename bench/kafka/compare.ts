import { connect, string, topic } from 'millrace';
import { expectedRows } from './expected.ts';
import type { Count, Work } from './works.ts';

const SHOWN = 5;
/** Works whose rows have the timestamps of records, and not those of whatever came last. */
const TIMED: readonly Work[] = ['pass', 'map', 'stream-join', 'table-join'];

/** What rows have in common however they are ordered. */
export interface Digest {
  readonly rows: number;
  readonly sum: number;
}

/** Expected digests are computed once per work. */
export function digestOf(rows: Iterable<string>): Digest {
  let count = 0;
  let sum = 0;
  for (const row of rows) {
    count += 1;
    sum = (sum + hash(row)) % 2 ** 52;
  }
  return { rows: count, sum };
}

/**
 * Compares a topic, as a reader of committed records sees it, with the rows that must be there.
 *
 * @returns What is wrong, and which rows differ; `undefined` when nothing is.
 */
export async function checkOutput(
  brokers: readonly string[],
  output: string,
  work: Work,
  records: number,
  expected: Digest,
): Promise<string | undefined> {
  return differences(await readRows(brokers, output, work), expected, () => expectedRows(work, records));
}

/** In words, whether rows are others than those expected; `all` gives these when they are to be told apart. */
export function differences(
  rows: readonly string[],
  expected: Digest,
  all: () => Iterable<string>,
): string | undefined {
  const found = digestOf(rows);
  if (found.rows === expected.rows && found.sum === expected.sum) return undefined;
  const balance = new Map<string, number>();
  const add = (row: string, by: number): void => void balance.set(row, (balance.get(row) ?? 0) + by);
  for (const row of all()) add(row, -1);
  for (const row of rows) add(row, 1);
  const wrong = [...balance].filter(([, by]) => by !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = wrong
    .slice(0, SHOWN)
    .map(([row, by]) => `  ${by < 0 ? `missing ${-by} times` : `${by} times too many`}: ${row}`);
  const head = `${found.rows} rows, not ${expected.rows}; ${wrong.length} differ, the first of them:`;
  return [head, ...lines].join('\n');
}

async function readRows(brokers: readonly string[], output: string, work: Work): Promise<readonly string[]> {
  const client = await connect({ brokers });
  const source = topic(output, { key: string(), value: string() });
  const rows: string[] = [];
  const final = new Map<string, string>();
  await client.records(source, { from: 'earliest', until: 'end' }).forEach(({ key, timestamp, value }) => {
    if (TIMED.includes(work)) rows.push(`${key} ${timestamp} ${value}`);
    // A contestant may write a count as often as it likes on its way to the last.
    else if (work === 'shuffle') final.set(`${key} ${(JSON.parse(value) as Count).start}`, `${key} ${value}`);
    else rows.push(`${key} ${value}`);
  });
  await client.close();
  return work === 'shuffle' ? [...final.values()] : rows;
}

/** 48 bits of two sums of FNV-1a. */
function hash(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x1234567;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0) * 0x10000 + ((b >>> 8) & 0xffff);
}
