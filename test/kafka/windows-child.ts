import { agg, json, keyBy, mapValues, run, string, through, to, topic, tumbling, windowBy } from '../../src/index.ts';

/** What one process of the application is started with. */
export interface WindowsOptions {
  readonly brokers: readonly string[];
  readonly guarantee: 'at-least-once' | 'exactly-once';
  readonly applicationId: string;
  readonly from: string;
  readonly by: string;
  readonly into: string;
  readonly sessionTimeoutMs: number;
}

/** A process that counts per user and window after a shuffle. It tells of its commits, and of what it waits for. */
const options = JSON.parse(process.argv[2] ?? '{}') as WindowsOptions;
const { applicationId, brokers, by, from, guarantee, into, sessionTimeoutMs } = options;
const event = json<{ user: string }>();
const events = topic(from, { value: event, partitions: 2 });
const byUser = topic(by, { key: string(), value: event, partitions: 2 });
const counts = topic(into, { key: string(), value: json<{ window: number; count: number }>(), partitions: 2 });
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const app = run(
  events.pipe(
    keyBy(({ user }) => user),
    through(byUser),
    windowBy(tumbling({ size: '10m', grace: '6h' }), { count: agg.count() }, { store: 'counts' }),
    mapValues(({ count }, { window }) => ({ window: window.start, count })),
    to(counts),
  ),
  {
    applicationId,
    brokers,
    commitInterval: '50ms',
    kafka: {
      guarantee,
      sessionTimeoutMs,
      heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 10),
      transactionTimeoutMs: sessionTimeoutMs * 2,
    },
  },
);
app.snapshots('100ms').subscribe(({ commits, late, waitingFor }) => {
  say(`commits ${commits}`);
  if (late > 0) say(`late ${late}`);
  for (const reason of waitingFor) say(`waits for ${reason}`);
});
process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)));
await app.done;
