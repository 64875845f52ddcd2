import fc from 'fast-check';
import {
  agg,
  aggregate,
  type Change,
  joinTable,
  json,
  mapRows,
  nullable,
  string,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import { map } from 'rxjs';

const TTL = 10;
const rows = topic('rows', { key: string(), value: nullable(json<number>()) });
const looks = topic('looks', { key: string(), value: json<string>() });
const orders = topic('orders', { key: string(), value: nullable(json<number>()) });
const changes = topic('changes', { key: string(), value: json<unknown>() });
const joined = topic('joined', { key: string(), value: json<unknown>() });
const sums = topic('sums', { key: string(), value: json<unknown>() });

const told = map((change: Change<string, number>) => ({ ...change, value: [change.before, change.value] }));
const kept = table('rows', { key: string(), value: json<number>(), ttl: '10ms' });
const pipeline = [
  kept.pipe(toStream(), told, to(changes)),
  looks.pipe(
    joinTable(kept.pipe(mapRows((n) => n, { store: 'view' })), (text, n) => [text, n], { type: 'left' }),
    to(joined),
  ),
  orders.pipe(
    aggregate(
      agg.sum((n: number) => n),
      { store: 'sums', ttl: '10ms' },
    ),
    told,
    to(sums),
  ),
];

/** Rows of each output. */
interface Outcome {
  readonly changes: unknown[];
  readonly joined: unknown[];
  readonly sums: unknown[];
}

interface Row {
  readonly value: number;
  readonly time: number;
}

/** The rows of one partition; each step scans all of them. */
class Model {
  readonly rows = new Map<string, Row>();
  #time = -1;

  /** @returns The deletions of expired rows. */
  observe(time: number): unknown[] {
    this.#time = Math.max(this.#time, time);
    const over = [...this.rows].filter(([, row]) => row.time + TTL <= this.#time);
    over.sort(([one, { time: at }], [other, { time: then }]) => at - then || (one < other ? -1 : 1));
    for (const [key] of over) this.rows.delete(key);
    return over.map(([key, row]) => [key, row.time + TTL, [row.value, null]]);
  }

  isOver(time: number): boolean {
    return time + TTL <= this.#time;
  }
}

/** A record of one of the topics. */
export const ttlRecord = fc.record({
  topic: fc.constantFrom(rows, rows, orders, looks),
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.option(fc.nat({ max: 9 }), { freq: 5 }),
  timestamp: fc.nat({ max: 50 }),
});

type TtlRecord = typeof ttlRecord extends fc.Arbitrary<infer R> ? R : never;

/**
 * The output of pipelines with expiring rows, and that of a model that scans all rows each time. @param restarts -
 * After which records to restart.
 */
export function ttlOutcomes(
  records: readonly TtlRecord[],
  restarts: readonly number[],
  options: TestDriverOptions,
): { readonly told: Outcome; readonly wanted: Outcome } {
  const driver = new TestDriver(pipeline, options);
  const [table, aggregates] = [new Model(), new Model()];
  const wanted: Outcome = { changes: [], joined: [], sums: [] };
  for (const [at, { key, timestamp, topic: source, value }] of records.entries()) {
    if (source === looks) {
      driver.pipe(looks, { key, value: `${at}`, timestamp });
      wanted.changes.push(...table.observe(timestamp));
      wanted.joined.push([key, timestamp, [`${at}`, table.rows.get(key)?.value ?? null]]);
    } else if (source === rows) {
      driver.pipe(rows, { key, value, timestamp });
      wanted.changes.push(...table.observe(timestamp));
      const known = table.rows.get(key);
      if (value === null) table.rows.delete(key);
      else if (known === undefined && table.isOver(timestamp)) continue;
      else table.rows.set(key, { value, time: Math.max(known?.time ?? -1, timestamp) });
      if (value !== null || known !== undefined) {
        wanted.changes.push([key, timestamp, [known?.value ?? null, value]]);
      }
    } else {
      driver.pipe(orders, { key, value, timestamp });
      if (value === null) continue;
      wanted.sums.push(...aggregates.observe(timestamp));
      const known = aggregates.rows.get(key);
      if (known === undefined && aggregates.isOver(timestamp)) continue;
      const row = { value: (known?.value ?? 0) + value, time: Math.max(known?.time ?? -1, timestamp) };
      aggregates.rows.set(key, row);
      wanted.sums.push([key, row.time, [known?.value ?? null, row.value]]);
    }
    if (restarts.includes(at)) driver.restart();
  }
  const rowsOf = (from: typeof changes) =>
    driver.read(from).map(({ key, timestamp, value }) => [key, timestamp, value]);
  return { told: { changes: rowsOf(changes), joined: rowsOf(joined), sums: rowsOf(sums) }, wanted };
}
