import {
  agg,
  countWindows,
  cumulate,
  hopping,
  json,
  mapValues,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  unlimited,
  type Windower,
  windowBy,
} from 'millrace';
import { any, type Picture, type Put, type Result, text } from './picture.ts';

const clicks = topic('clicks', { key: string(), value: json<number>() });
const late = topic('late', { key: string(), value: json<number>() });
const rows = topic('rows', { key: string(), value: string() });

const at = (...times: readonly number[]): Put[] =>
  times.map((timestamp) => ({ into: any(clicks), key: 'ada', value: 1, timestamp }));

/** Counts in windows, with the window of each row: a bracket that includes its end is square. */
function counts(
  label: string,
  windower: Windower,
  emit: 'close' | 'updates' | { readonly every: '5ms' } = 'close',
): Result {
  const closed = ['sliding', 'session', 'count'].includes(windower.kind);
  const pipeline = clicks.pipe(
    windowBy(windower, agg.count(), { store: 'counts', emit }),
    mapValues((n, { window: { end, start } }) => {
      const span = `[${start},${end === Number.POSITIVE_INFINITY ? '∞' : end}${closed ? ']' : ')'}`;
      return n === null ? `${span} gone` : `${span}=${n}`;
    }),
    to(rows),
  );
  return { label, pipeline, from: any(rows), show: ({ value }) => text(value) };
}

const base = { show: ({ timestamp }: Put) => `${timestamp}ms`, ends: true } as const;

const tenMs = tumbling({ size: '10ms', grace: '5ms' });

export const windows: Readonly<Record<string, Picture>> = {
  'windows-emit': {
    ...base,
    records: at(1, 4, 12, 16, 27),
    results: [
      counts("'close'", tenMs),
      counts("'updates'", tenMs, 'updates'),
      counts("{ every: '5ms' }", tenMs, { every: '5ms' }),
    ],
  },
  'windows-late': {
    ...base,
    records: at(3, 14, 9, 15, 8),
    results: [
      counts('counts', tenMs),
      {
        label: 'late',
        pipeline: clicks.pipe(
          windowBy(tenMs, agg.count(), { store: 'counts', late: (records) => records.pipe(to(late)) }),
          mapValues(() => ''),
          to(rows),
        ),
        from: any(late),
        show: ({ timestamp }) => `${timestamp}ms`,
      },
    ],
  },
  'windows-kinds': {
    ...base,
    records: at(1, 7, 12, 31),
    results: [
      counts('tumbling 10', tumbling({ size: '10ms', grace: '0ms' })),
      counts('hopping 10/5', hopping({ size: '10ms', advance: '5ms', grace: '0ms' })),
      counts('cumulate 20/10', cumulate({ size: '20ms', step: '10ms', grace: '0ms' })),
      counts('sliding 10', sliding({ difference: '10ms', grace: '0ms' })),
      counts('session 5', session({ gap: '5ms', grace: '0ms' })),
      counts('two records', countWindows({ size: 2 })),
      counts('unlimited', unlimited({ start: 0 }), 'updates'),
    ],
  },
  'windows-sessions': {
    ...base,
    records: at(0, 6, 3, 40),
    results: [
      counts("'close'", session({ gap: '5ms', grace: '20ms' })),
      counts("'updates'", session({ gap: '5ms', grace: '20ms' }), 'updates'),
    ],
  },
};
