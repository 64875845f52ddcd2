import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import type { Input, Row, Step } from './format.ts';
import { type AnyTopic, type CasePipeline, ROWS } from './pipelines/pipeline.ts';

/** What came out of a run. */
export interface Outcome {
  /** One list per group of steps that went in together. */
  readonly groups: readonly Group[];
  readonly dropped: number;
  /** Records that came too late, where those are not among the dropped. */
  readonly late?: number;
  readonly store: readonly Row[] | undefined;
}

export interface Group {
  readonly steps: readonly Step[];
  readonly rows: readonly Row[];
  /** What the driver threw; the run ends there. */
  readonly error?: unknown;
}

export interface RunOptions extends TestDriverOptions {
  /** Whether to restart from the commit after this group, counted from 1. */
  readonly restartAfter?: (group: number) => boolean;
  /** Most steps of one topic that are piped together (1). */
  readonly batch?: number;
}

export function runCase(subject: CasePipeline, steps: readonly Step[], options: RunOptions = {}): Outcome {
  const { batch = 1, restartAfter, ...driverOptions } = options;
  const driver = new TestDriver(subject.pipeline, driverOptions);
  const read = topicsRead(driver);
  const groups: Group[] = [];
  let dropped = 0;
  let late = 0;
  const count = (): void => {
    for (const task of driver.tasks()) {
      dropped += task.dropped;
      late += task.late;
    }
  };
  for (const together of grouped(steps, batch)) {
    const topic = topicOf(subject, (together[0] as Step).in);
    try {
      // A case may write to both topics of its family where a chain reads one: that has no effect, and the driver refuses it.
      if (read.has(topic.name)) {
        driver.pipeAll(
          topic,
          together.map((step) => step.in),
        );
      }
    } catch (error) {
      groups.push({ steps: together, rows: driver.read(ROWS).map(rowOf), error });
      break;
    }
    groups.push({ steps: together, rows: driver.read(ROWS).map(rowOf) });
    if (restartAfter?.(groups.length) !== true) continue;
    count();
    driver.restart();
  }
  count();
  // A restart of tasks leaves global tables as they are, so theirs are counted once.
  for (const table of driver.globalTables()) dropped += table.dropped;
  const store = subject.store === undefined ? undefined : ([...driver.store(subject.store).entries()] as Row[]);
  // Records without key or value, and (record, window) pairs that came too late.
  return subject.lateApart === true ? { groups, dropped, late, store } : { groups, dropped: dropped + late, store };
}

function topicsRead(driver: TestDriver): ReadonlySet<string> {
  const inputs = driver.tasks().flatMap((task) => task.inputs.map(({ topic }) => topic));
  return new Set([...inputs, ...driver.globalTables().map(({ name }) => name)]);
}

function* grouped(steps: readonly Step[], most: number): IterableIterator<readonly Step[]> {
  let group: Step[] = [];
  for (const step of steps) {
    if (group.length > 0 && (group.length === most || group[0]?.in.topic !== step.in.topic)) {
      yield group;
      group = [];
    }
    group.push(step);
  }
  if (group.length > 0) yield group;
}

function topicOf({ inputs }: CasePipeline, { topic }: Input): AnyTopic {
  const found = inputs.find(({ name }) => name === topic);
  if (found === undefined) throw new Error(`the case writes to the topic ${topic}, which its pipeline does not read`);
  return found;
}

function rowOf({ key, timestamp, value }: ReturnType<TestDriver['read']>[number]): Row {
  return { key: key as Row['key'], timestamp, ...(value as Pick<Row, 'value' | 'branch' | 'window'>) };
}
