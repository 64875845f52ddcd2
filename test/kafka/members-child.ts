import { writeSync } from 'node:fs';
import { countByKey, filterValues, int32, run, runUntilSignal, string, to, topic } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';
import { tap } from 'rxjs';

/** What a process is told. */
export interface MembersOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly commitInterval: '50ms' | '2s';
  /** Names the process. */
  readonly who: string;
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
 * A process of an application that counts records. `block 3000` keeps the process that reads it from everything else for
 * three seconds, `block 3000 first` only the one of that name. It says what it reads and what it is warned of.
 */
if (process.argv[2] !== undefined) {
  const { name, brokers, commitInterval, who, writeFrom, kafka } = JSON.parse(process.argv[2]) as MembersOptions;
  const { input, counts } = counted(name);
  const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`);
  const log = ({ code, error }: { code?: string; error?: string }, message: string): void =>
    say({ code, error, message });
  const debug = (_: object, message: string): void => say({ debug: message });
  const logger = { debug, info: () => undefined, warn: log, error: log };
  const app = run(
    input.pipe(
      tap(({ value }) => {
        say({ read: value });
        const [what, ms, whom = who] = value.split(' ');
        if (what !== 'block' || whom !== who) return;
        const until = performance.now() + Number(ms);
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
