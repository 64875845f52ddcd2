import { agg, branch, calendar, json, mapAsync, mapValues, string, to, topic, windowBy } from 'millrace';
import { merge } from 'rxjs';
import { z } from 'zod';
import { coldRooms } from './cold-rooms.ts';
import { describeStation } from './stations.ts';

const partitions = 2;

const Reading = z.object({
  station: z.string(),
  /** `2012-01-31` */
  date: z.string(),
  /** Millimetres. */
  precipitation: z.number(),
  /** Degrees Celsius. */
  high: z.number(),
  low: z.number(),
  wind: z.number(),
});
type Reading = z.infer<typeof Reading>;

const Month = z.object({
  /** `2012-01` */
  month: z.string(),
  days: z.int(),
  high: z.number(),
  low: z.number(),
  rain: z.number(),
});
const Alert = z.object({ kind: z.string(), date: z.string(), measured: z.number(), where: z.string() });

export const readings = topic('readings', { key: string(), value: json(Reading), partitions });
export const months = topic('months', {
  key: string(),
  value: json(Month),
  partitions,
});
export const alerts = topic('alerts', { key: string(), value: json(Alert), partitions });

/** Means per station and calendar month: windows of 28 to 31 days, an hour longer or shorter when clocks change. */
const monthly = readings.pipe(
  windowBy(
    calendar({ unit: 'month', zone: 'America/New_York', grace: '2d' }),
    {
      days: agg.count(),
      high: agg.mean((reading) => reading.high),
      low: agg.mean((reading) => reading.low),
      rain: agg.sum((reading) => reading.precipitation),
    },
    { store: 'months' },
  ),
  mapValues((means, { window }) => ({ month: new Date(window.start).toISOString().slice(0, 7), ...means })),
  to(months),
);

/** A reading goes to the first threshold that it crosses. */
const { storm, downpour, heat, frost } = branch(
  readings,
  {
    storm: ({ value }) => value.wind >= 8.5,
    downpour: ({ value }) => value.precipitation >= 40,
    heat: ({ value }) => value.high >= 35,
    frost: ({ value }) => value.low <= -10,
  },
  'calm',
);

/** Alerts, each with a description of its station from a slow lookup, in order per station. */
const alarms = merge(
  storm.pipe(mapValues(({ date, wind }) => ({ kind: 'storm', date, measured: wind }))),
  downpour.pipe(mapValues(({ date, precipitation }) => ({ kind: 'downpour', date, measured: precipitation }))),
  heat.pipe(mapValues(({ date, high }) => ({ kind: 'heat', date, measured: high }))),
  frost.pipe(mapValues(({ date, low }) => ({ kind: 'frost', date, measured: low }))),
).pipe(
  mapAsync(async (alert, { record, signal }) => ({ ...alert, where: await describeStation(record.key, signal) }), {
    concurrency: 8,
    timeout: '5s',
    retries: 2,
  }),
  to(alerts),
);

export const pipeline = [monthly, alarms, ...coldRooms];
