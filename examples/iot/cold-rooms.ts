import {
  agg,
  countWindows,
  filterValues,
  json,
  keyValue,
  mapValues,
  output,
  process,
  string,
  to,
  topic,
  windowBy,
} from 'millrace';
import { z } from 'zod';

const partitions = 2;

/** Since when a probe has been silent, and when it came back; `null` while it is silent. */
const Outage = z.object({ since: z.int(), back: z.int().nullable() });
type Outage = z.infer<typeof Outage>;
/** Between two readings, in degrees a minute. */
const Rise = z.object({ from: z.int(), to: z.int(), perMinute: z.number() });

export const probes = topic('probes', {
  key: string(),
  value: json(z.object({ celsius: z.number() })),
  partitions,
});
export const outages = topic('outages', { key: string(), value: json(Outage), partitions });
export const rises = topic('rises', { key: string(), value: json(Rise), partitions });

/** A gap: no reading from a probe for thirty seconds, while readings of others advance stream time. */
const silence = probes.pipe(
  process({
    name: 'silence',
    stores: {
      last: keyValue('last-readings', { value: json<number>() }),
      silent: keyValue('silent-probes', { value: json<true>() }),
    },
    timers: { silence: 'stream-time' },
    emits: output<Outage>(),
    next({ timestamp }, { emit, key, stores, timers }) {
      if (stores.silent.has(key)) emit({ since: stores.last.get(key) ?? timestamp, back: timestamp });
      stores.silent.delete(key);
      stores.last.set(key, timestamp);
      timers.silence.set(timestamp + 30_000); // moves the timer of this probe
    },
    due: {
      silence({ key, time }, { emit, stores }) {
        stores.silent.set(key, true);
        emit({ since: stores.last.get(key) ?? time - 30_000, back: null });
      },
    },
  }),
  to(outages),
);

/** A rate of change: each reading compared with the one before it. */
const warming = probes.pipe(
  windowBy(
    countWindows({ size: 2, advance: 1 }),
    {
      readings: agg.count(),
      first: agg.first((reading) => reading.celsius),
      last: agg.last((reading) => reading.celsius),
    },
    { store: 'neighbours' },
  ),
  // The last reading of all has no successor.
  filterValues(({ readings }) => readings === 2),
  mapValues(({ first, last }, { window: { start, end } }) => {
    return { from: start, to: end, perMinute: Number((((last - first) * 60_000) / (end - start)).toFixed(2)) };
  }),
  filterValues(({ perMinute }) => perMinute >= 1.5),
  to(rises),
);

export const coldRooms = [silence, warming];
