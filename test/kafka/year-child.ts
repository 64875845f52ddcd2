import { writeSync } from 'node:fs';
import { run, runUntilSignal } from 'millrace';
import { type YearOptions, year } from './year.ts';

/** A process that counts by day. It says where it stands whenever that changes. */
const { name, brokers, guarantee, delayMs } = JSON.parse(process.argv[2] ?? '{}') as YearOptions;
const timing = { sessionTimeoutMs: 3000, heartbeatIntervalMs: 300, transactionTimeoutMs: 6000 };
const app = run(year(name, delayMs).pipeline, {
  applicationId: name,
  brokers,
  commitInterval: '100ms',
  batch: { count: 300 },
  kafka: { guarantee, ...timing },
});
let last = '';
app.snapshots('20ms').subscribe(({ tasks, late, recordsIn, waitingFor }) => {
  const now = JSON.stringify({ tasks: tasks.map(({ id }) => id), late, recordsIn, waitingFor });
  if (now !== last) writeSync(1, `${now}\n`);
  last = now;
});
await runUntilSignal(app);
