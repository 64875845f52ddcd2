import { writeSync } from 'node:fs';
import { countByKey, filterValues, int32, run, runUntilSignal, string, to, topic } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';
import { tap } from 'rxjs';

/** What a process is told. */
export interface MembersOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly commitInterval: '50ms' | '2s';
  /** Counts below this are kept and not written. */
  readonly writeFrom: number;
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
}

/** Topics of a run: records, and how many there have been. */
export function counted(name: string) {
  const input = topic(name, { key: string(), value: string(), partitions: 1 });
  return { input, counts: topic(`${name}-counts`, { key: string(), value: int32(), partitions: 1 }) };
}

/**
 * A process of an application that counts records. One that reads `block 3000` keeps the process from everything else for
 * three seconds. It says what it reads and what it is warned of.
 */
if (process.argv[2] !== undefined) {
  const { name, brokers, commitInterval, writeFrom, kafka } = JSON.parse(process.argv[2]) as MembersOptions;
  const { input, counts } = counted(name);
  const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`);
  const log = ({ code, error }: { code?: string; error?: string }, message: string): void =>
    say({ code, error, message });
  const logger = { debug: () => undefined, info: () => undefined, warn: log, error: log };
  const app = run(
    input.pipe(
      tap(({ value }) => {
        say({ read: value });
        if (!value.startsWith('block ')) return;
        const until = performance.now() + Number(value.slice(6));
        while (performance.now() < until);
        say({ read: 'unblocked' });
      }),
      countByKey({ store: 'counts' }),
      filterValues((count) => count >= writeFrom),
      to(counts),
    ),
    { applicationId: name, brokers, commitInterval, kafka: { ...kafka, logger }, logger },
  );
  let tasks = -1;
  app.snapshots('25ms').subscribe((snapshot) => {
    if (snapshot.tasks.length !== tasks) say({ tasks: (tasks = snapshot.tasks.length) });
  });
  await runUntilSignal(app);
}
