import {
  agg,
  countByKey,
  flatMapRecord,
  joinTable,
  json,
  keyBy,
  mapValues,
  session,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { z } from 'zod';
import { STEPS, stepsTaken } from './funnel.ts';

const partitions = 4;

const Click = z.object({ userId: z.string(), url: z.string() });
const Minute = z.object({ name: z.string(), minute: z.int(), clicks: z.int() });
/** From the first to the last click, and how many steps of the funnel were reached. */
const Visit = z.object({ from: z.int(), to: z.int(), clicks: z.int(), steps: z.int() });

export const clicks = topic('clicks', { value: json(Click), partitions: 1 });
const clicksByUser = topic('clicks-by-user', { key: string(), value: json(Click), partitions });
export const lateClicks = topic('late-clicks', { key: string(), value: json(Click), partitions: 1 });
export const users = table('users', { key: string(), value: json(z.object({ name: z.string() })), partitions });
export const clicksPerMinute = topic('clicks-per-minute', { key: string(), value: json(Minute), partitions });
export const visits = topic('visits', { key: string(), value: json(Visit), partitions });
const visitsByStep = topic('visits-by-step', { key: string(), value: json(Visit), partitions });
export const funnel = topic('funnel', { key: string(), value: json(z.int()), partitions });

const byUser = clicks.pipe(
  keyBy((click) => click.userId),
  through(clicksByUser),
);

/** Results that are needed at once: clicks that were stored on a phone for minutes are too late for them. */
const minutes = byUser.pipe(
  windowBy(
    tumbling({ size: '1m', grace: '10s' }),
    { clicks: agg.count() },
    { store: 'clicks-per-minute', late: (late) => late.pipe(to(lateClicks)) },
  ),
  joinTable(users, ({ clicks }, user, { window }) => ({ name: user.name, minute: window.start, clicks })),
  to(clicksPerMinute),
);

/** Results that must be complete: a visit ends after half a minute without a click, and its grace waits for the phones. */
const finished = byUser.pipe(
  windowBy(
    session({ gap: '30s', grace: '15m' }),
    { clicks: agg.count(), trail: agg.collect({ limit: 1_000, keep: 'first' }) },
    { store: 'visits' },
  ),
  mapValues(({ clicks, trail }, { window }) => {
    return { from: window.start, to: window.end, clicks, steps: stepsTaken(trail.map(({ url }) => url)) };
  }),
);

/** How many visits reached each step: a visit counts for every step that it reached. */
const steps = finished.pipe(
  flatMapRecord(({ value }) => STEPS.slice(0, value.steps).map((step) => ({ key: step, value }))),
  through(visitsByStep),
  countByKey({ store: 'funnel' }),
  to(funnel),
);

export const pipeline = [minutes, finished.pipe(to(visits)), steps];
