import { json, mapAsync, memoryTransport, run, runUntilSignal, to, topic } from '../../src/index.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { MemoryLog } from '../../src/transports/memory/index.ts';

// `quick` has nothing to do; `stuck` waits for a call that never ends, so that stopping cannot finish, and `uncaught` is
// the same with nobody who handles the failure.
const [mode, deadline = '10s'] = process.argv.slice(2) as [string, `${number}s`?];
const numbers = topic('numbers', { value: json<number>(), partitions: 1 });
const out = topic('out', { value: json<number>() });
const log = new MemoryLog();
log.create('numbers');
if (mode !== 'quick') {
  const batch = new RecordBatchBuilder();
  batch.append(0, null, '1', []);
  log.append([log.prepare({ topic: 'numbers', partition: 0 }, batch)]);
}
let said = false;
const pipeline = numbers.pipe(
  mapAsync(() => {
    say();
    return new Promise<number>(() => undefined);
  }),
  to(out),
);

function say(): void {
  if (!said) process.stdout.write('ready\n');
  said = true;
}

const app = run(pipeline, { applicationId: 'app', transport: memoryTransport(log), stopDeadline: deadline });
if (mode === 'quick') app.snapshots('10ms').subscribe(({ state }) => state === 'running' && say());
try {
  await runUntilSignal(app);
  process.stdout.write('stopped\n');
} catch (error) {
  if (mode === 'uncaught') throw error;
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
