import { writeSync } from 'node:fs';
import { type Pipeline, run, runUntilSignal } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';

interface Told {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
}

/** Runs a pipeline in this process, and says on its output where it stands whenever that changes. */
export async function runAndSay(pipeline: Pipeline, { brokers, kafka, name }: Told): Promise<void> {
  const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`);
  const log = (fields: object, message: string): void =>
    say({ log: message, code: (fields as { readonly code?: string }).code });
  const logger = { debug: () => undefined, info: () => undefined, warn: log, error: log };

  const app = run(pipeline, { applicationId: name, brokers, kafka: { ...kafka, logger }, logger });
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
}
