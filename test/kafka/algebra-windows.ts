import {
  agg,
  json,
  keyBy,
  mapValues,
  session,
  string,
  suppress,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { closing, compare, GRACE, numbers, PARTITIONS, textsOf, timeOf, type Workload } from './algebra.ts';

interface Click {
  readonly user: string;
  readonly n: number;
}
/** Four people click in turns, then four others; each comes back when the other seven groups have had their turn. */
export const clickOf = (n: number): Click => ({ user: `user-${(Math.floor(n / 48) % 8) * 4 + (n % 4)}`, n });

/** Clicks behind a shuffle. */
export function clicking(name: string) {
  const clicks = topic(`${name}-clicks`, { value: json<Click>(), partitions: PARTITIONS });
  const byUser = topic(`${name}-by-user`, { key: string(), value: json<number>(), partitions: PARTITIONS });
  const stream = clicks.pipe(
    keyBy(({ user }) => user),
    mapValues(({ n }) => n),
    through(byUser),
  );
  const publish: Workload['publish'] = (client, start, list) =>
    client.publishAll(
      clicks,
      list.map((n) => ({ value: clickOf(n), timestamp: timeOf(start, n), partition: n % PARTITIONS })),
    );
  return { clicks, byUser, stream, publish, read: [clicks.name, byUser.name] };
}

/** Clicks of a person in their turn are 200 ms apart. */
const SESSION_GAP_MS = 500;

export function sessions(name: string): Workload {
  const { byUser, publish, read, stream } = clicking(name);
  const output = topic(`${name}-sessions`, { key: string(), value: json(), partitions: PARTITIONS });
  const pipeline = stream.pipe(
    windowBy(
      session({ gap: `${SESSION_GAP_MS}ms`, grace: GRACE }),
      { clicks: agg.count(), sum: agg.sum((n: number) => n) },
      { store: 'sessions' },
    ),
    mapValues(({ clicks, sum }, { window }) => ({ from: window.start, to: window.end, clicks, sum })),
    to(output),
  );
  const expected = (start: number, count: number): Map<string, string> => {
    const rows = new Map<string, { from: number; to: number; clicks: number; sum: number }>();
    const open = new Map<string, { from: number; to: number; clicks: number; sum: number }>();
    for (const n of numbers(count)) {
      const { user } = clickOf(n);
      const time = timeOf(start, n);
      const last = open.get(user);
      const goesOn = last !== undefined && time - last.to <= SESSION_GAP_MS;
      const row = goesOn ? last : { from: time, to: time, clicks: 0, sum: 0 };
      open.set(user, Object.assign(row, { to: time, clicks: row.clicks + 1, sum: row.sum + n }));
      rows.set(`${user}@${row.from}`, row);
    }
    return textsOf(rows);
  };
  return {
    pipeline,
    topics: [...read, output.name],
    read,
    output: output.name,
    publish,
    close: (client, start, count) => closing(client, byUser, 0, timeOf(start, count) + SESSION_GAP_MS),
    judge: (rows, start, count) =>
      compare(
        expected(start, count),
        rows.map(({ key, value }) => [`${key}@${(JSON.parse(value ?? '{}') as { from?: number }).from}`, value]),
      ),
  };
}

const WINDOW_MS = 1000;

/** Rows on update, held back until their window has closed. */
export function finals(name: string): Workload {
  const { byUser, publish, read, stream } = clicking(name);
  const output = topic(`${name}-finals`, { key: string(), value: json(), partitions: PARTITIONS });
  const pipeline = stream.pipe(
    windowBy(
      tumbling({ size: `${WINDOW_MS}ms`, grace: GRACE }),
      { clicks: agg.count(), sum: agg.sum((n: number) => n) },
      { store: 'per-second', emit: 'updates' },
    ),
    suppress({ until: 'close', store: 'finals' }),
    mapValues(({ clicks, sum }, { window }) => ({ from: window.start, clicks, sum })),
    to(output),
  );
  const expected = (start: number, count: number): Map<string, string> => {
    const rows = new Map<string, { from: number; clicks: number; sum: number }>();
    for (const n of numbers(count)) {
      const time = timeOf(start, n);
      const from = time - (time % WINDOW_MS);
      const at = `${clickOf(n).user}@${from}`;
      const row = rows.get(at) ?? { from, clicks: 0, sum: 0 };
      rows.set(at, Object.assign(row, { clicks: row.clicks + 1, sum: row.sum + n }));
    }
    return textsOf(rows);
  };
  return {
    pipeline,
    topics: [...read, output.name],
    read,
    output: output.name,
    publish,
    close: (client, start, count) => closing(client, byUser, 0, timeOf(start, count) + WINDOW_MS),
    judge: (rows, start, count) =>
      compare(
        expected(start, count),
        rows.map(({ key, value }) => [`${key}@${(JSON.parse(value ?? '{}') as { from?: number }).from}`, value]),
      ),
  };
}
