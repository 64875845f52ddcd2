import { countByKey, json, run, string, to, topic } from '../../src/index.ts';

/** A process that counts by key, exactly once, with its stores in a folder, until it is killed. It tells of each commit. */
const { brokers, applicationId, from, into, stateDir } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly from: string;
  readonly into: string;
  readonly stateDir: string;
};
const source = topic(from, { key: string(), value: json<number>(), partitions: 2 });
const app = run(
  source.pipe(countByKey({ store: 'counts' }), to(topic(into, { key: string(), value: json<number>() }))),
  {
    applicationId,
    brokers,
    stateDir,
    commitInterval: '50ms',
    kafka: { guarantee: 'exactly-once', sessionTimeoutMs: 3000, heartbeatIntervalMs: 300, transactionTimeoutMs: 6000 },
  },
);
app.snapshots('20ms').subscribe(({ commits }) => process.stdout.write(`commits ${commits}\n`));
await app.done;
