import { agg, joinTable, json, keyBy, string, table, through, to, topic, tumbling, windowBy } from 'millrace';
import { z } from 'zod';

const partitions = 4;

const Click = z.object({ userId: z.string(), url: z.string() });

export const clicks = topic('clicks', { value: json(Click), partitions: 1 });
const clicksByUser = topic('clicks-by-user', { key: string(), value: json(Click), partitions });
export const lateClicks = topic('late-clicks', { key: string(), value: json(Click), partitions: 1 });
export const users = table('users', { key: string(), value: json(z.object({ name: z.string() })), partitions });
export const clicksPerMinute = topic('clicks-per-minute', {
  key: string(),
  value: json(z.object({ name: z.string(), minute: z.int(), clicks: z.int() })),
  partitions,
});

export const pipeline = clicks.pipe(
  keyBy((click) => click.userId),
  through(clicksByUser),
  windowBy(
    tumbling({ size: '1m', grace: '10s' }),
    { clicks: agg.count() },
    { store: 'clicks-per-minute', late: (late) => late.pipe(to(lateClicks)) },
  ),
  joinTable(users, ({ clicks }, user, { window }) => ({ name: user.name, minute: window.start, clicks })),
  to(clicksPerMinute),
);
