import { agg, aggregate, type Change, json, mapValues, string, to, topic } from 'millrace';
import { filter } from 'rxjs';
import { closing, compare, numbers, PARTITIONS, textsOf, timeOf, type Workload } from './algebra.ts';
import { clicking, clickOf } from './algebra-windows.ts';

/** Longer than clicks of a person in their turn are apart, mixed as they are, and shorter than they stay away. */
const TTL_MS = 8_000;

interface Counted {
  readonly clicks: number;
  readonly sum: number;
}

/**
 * Rows of people that end when they stay away: what is written is what they had then. Rows end by the time of all others, so
 * this is for processes that read all there is before they stop.
 */
export function carts(name: string): Workload {
  const { byUser, publish, read, stream } = clicking(name);
  const output = topic(`${name}-carts`, { key: string(), value: json(), partitions: PARTITIONS });
  const pipeline = stream.pipe(
    aggregate({ clicks: agg.count(), sum: agg.sum((n: number) => n) }, { store: 'carts', ttl: `${TTL_MS}ms` }),
    filter((change: Change<string, Counted>) => change.value === null),
    mapValues((_, { before, timestamp }) => ({ until: timestamp, ...before })),
    to(output),
  );
  const expected = (start: number, count: number): Map<string, string> => {
    const rows = new Map<string, { until: number; clicks: number; sum: number }>();
    const open = new Map<string, { until: number; clicks: number; sum: number }>();
    const ended = (user: string, row: { until: number; clicks: number; sum: number }): void =>
      void rows.set(`${user}@${row.until}`, row);
    for (const n of numbers(count)) {
      const { user } = clickOf(n);
      const time = timeOf(start, n);
      const last = open.get(user);
      const goesOn = last !== undefined && time < last.until;
      if (last !== undefined && !goesOn) ended(user, last);
      const row = goesOn ? last : { until: 0, clicks: 0, sum: 0 };
      open.set(user, { until: time + TTL_MS, clicks: row.clicks + 1, sum: row.sum + n });
    }
    for (const [user, row] of open) ended(user, row);
    return textsOf(rows);
  };
  return {
    pipeline,
    topics: [...read, output.name],
    read,
    output: output.name,
    publish,
    close: (client, start, count) => closing(client, byUser, 0, timeOf(start, count) + TTL_MS),
    judge: (rows, start, count) =>
      compare(
        expected(start, count),
        rows.map(({ key, value }) => [`${key}@${(JSON.parse(value ?? '{}') as { until?: number }).until}`, value]),
      ),
  };
}
