import { writeSync } from 'node:fs';
import { run, runUntilSignal } from 'millrace';
import { type CountingOptions, counting } from './counting.ts';

/** A process of the application. It says on its output where it stands whenever that changes. */
const { name, brokers, kafka, slow } = JSON.parse(process.argv[2] ?? '{}') as CountingOptions;
const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`);
const log = (fields: object, message: string): void =>
  say({ log: message, code: (fields as { readonly code?: string }).code });
const logger = { debug: () => undefined, info: () => undefined, warn: log, error: log };

const app = run(counting(name, slow).pipeline, { applicationId: name, brokers, kafka: { ...kafka, logger }, logger });
let last = '';
app.snapshots('25ms').subscribe(({ tasks, waitingFor, restarts, late }) => {
  const now = JSON.stringify({ tasks: tasks.map(({ id }) => id), waitingFor, restarts, late });
  if (now !== last) say({ state: JSON.parse(now) });
  last = now;
});
app.snapshots('500ms').subscribe(({ state, commits, lastCommitAgeMs, error, waitingFor, tasks }) => {
  const positions = tasks.map(({ id, inputs }) => [id, ...inputs.map(({ position, end }) => `${position}/${end}`)]);
  const detail = { state, commits, lastCommitAgeMs, error: error?.message, waitingFor, positions };
  say({ detail, at: performance.timeOrigin + performance.now() });
});
await runUntilSignal(app);
