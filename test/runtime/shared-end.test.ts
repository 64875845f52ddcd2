import { agg, int32, keyBy, mapAsync, type Pipeline, string, through, to, topic, tumbling, windowBy } from 'millrace';
import { tap } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { TopicReader } from '../../src/testing/topic-reader.ts';
import { MemoryLog } from '../../src/transports/memory/index.ts';
import { Instance, tasksOf } from './several-instances.ts';
import { gate, rounds, until } from './support.ts';

const HOUR = 3_600_000;
const PARTITIONS = 4;
const numbers = (name: string) => topic(name, { key: string(), value: int32() });
const source = numbers('source');
const shuffle = numbers('shuffle');
const out = numbers('out');

/** Counts per key and hour, and sums of them per first letter and day. */
function pipeline(wait: () => Promise<void>): Pipeline {
  return source.pipe(
    mapAsync(async (value) => {
      await wait();
      return value;
    }),
    windowBy(tumbling({ size: '1h', grace: '0s' }), agg.count(), { store: 'hours' }),
    keyBy((_, { key }) => (key ?? '').slice(0, 1)),
    through(shuffle),
    windowBy(
      tumbling({ size: '1d', grace: '0s' }),
      agg.sum((count) => count),
      { store: 'days' },
    ),
    to(out),
  );
}

describe('several processes that run to the end, and close windows there', () => {
  let instances: Instance[] = [];
  afterEach(async () => {
    await Promise.all(instances.map((each) => each.stop()));
    instances = [];
  });

  it.each([0, 1])('give the rows of one process, whichever is slow (%i)', async (slow) => {
    const log = new MemoryLog();
    for (const { name } of [source, shuffle]) log.create(name, { partitions: PARTITIONS });
    log.create(out.name);
    const wanted = new Map<string, number>();
    for (let at = 0; at < 400; at += 1) {
      const key = `${'abcd'[at % 4]}${at % 20}`;
      const batch = new RecordBatchBuilder();
      batch.append(at * (HOUR / 8), key, new Uint8Array(4), []);
      log.append([log.prepare({ topic: source.name, partition: at % PARTITIONS }, batch)]);
      const row = `${key[0]} ${Math.floor(at / 8 / 24)}`;
      wanted.set(row, (wanted.get(row) ?? 0) + 1);
    }
    const held = gate();
    const both = gate();
    for (let n = 0; n < 2; n += 1) {
      const options = { until: 'end', openWindows: 'close' } as const;
      const wait = async (): Promise<void> => {
        await both.wait;
        if (n === slow) await held.wait;
      };
      instances.push(new Instance(log, pipeline(wait), false, options));
    }
    await until('both have tasks', () => instances.every((each) => tasksOf(each).length === PARTITIONS));
    both.open();
    const { app: quick } = instances[1 - slow] as Instance;
    await until('the quick one has read its part', () => {
      const { state, waitingFor } = quick.snapshot();
      return state === 'stopped' || waitingFor.some((text) => text.startsWith('other processes of the application'));
    });
    held.open();
    await Promise.all(instances.map(({ app }) => app.done));
    expect(instances.map(({ app }) => app.snapshot().late)).toEqual([0, 0]);
    const rows = new TopicReader(log, out.name).read(out).map(({ key, timestamp, value }): [string, number | null] => {
      return [`${key} ${Math.floor(timestamp / (24 * HOUR))}`, value];
    });
    expect(rows).toHaveLength(wanted.size);
    expect(new Map(rows)).toEqual(wanted);
  });
});

describe('several processes that run to the end, and keep windows', () => {
  let log: MemoryLog;
  let instances: Instance[] = [];
  let sources: number;
  afterEach(async () => {
    await Promise.all(instances.map((each) => each.stop()));
    instances = [];
  });

  /** The first process has the tasks behind the shuffle, and those of the source for which the second one has no room. */
  function create(partitions: { readonly source: number; readonly shuffle: number }): void {
    log = new MemoryLog();
    log.create(source.name, { partitions: partitions.source });
    log.create(shuffle.name, { partitions: partitions.shuffle });
    log.create(out.name);
    sources = partitions.source;
  }

  function publish(from: number, until: number): void {
    for (let value = from; value < until; value += 1) {
      const batch = new RecordBatchBuilder();
      batch.append(value, `${value}`, Uint8Array.of(0, 0, 0, value), []);
      log.append([log.prepare({ topic: source.name, partition: value % sources }, batch)]);
    }
  }

  const read = (from: typeof out): number[] =>
    new TopicReader(log, from.name)
      .read(from)
      .flatMap(({ value }) => value ?? [])
      .sort((left, right) => left - right);

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, value) => value);

  /** A process that says when the steps behind the shuffle are told that their input is complete. */
  function start(wait: () => Promise<void>, onOffsets: () => Promise<unknown>) {
    const process = { completed: false };
    const steps = source.pipe(
      mapAsync(async (value) => {
        await wait();
        return value;
      }),
      keyBy((value) => `${value % 7}`),
      through(shuffle),
      tap({ complete: () => (process.completed = true) }),
      to(out),
    );
    const instance = new Instance(log, steps, false, { until: 'end', openWindows: 'keep', onOffsets });
    instances.push(instance);
    return Object.assign(process, { instance });
  }

  const haveTasks = (): Promise<void> =>
    until('both have tasks', () => instances.every((each) => tasksOf(each).length === 4));
  const ended = (): Promise<unknown> => Promise.all(instances.map(({ app }) => app.done));
  const atOnce = (): Promise<void> => Promise.resolve();

  it('go on while another one has something left that leads to more', async () => {
    create({ source: 4, shuffle: 4 });
    publish(0, 40);
    const held = gate();
    const ready = start(() => held.wait, atOnce);
    start(() => held.wait, atOnce);
    await haveTasks();
    await rounds(100);
    expect(ready.completed).toBe(false);
    held.open();
    await ended();
    expect(read(out)).toEqual(upTo(40));
  });

  it.each([
    { has: 'nothing else', partitions: { source: 4, shuffle: 4 } },
    { has: 'the first task', partitions: { source: 6, shuffle: 2 } },
  ])('end where one is ready to and has $has, and another one then writes more for it', async ({ partitions }) => {
    create(partitions);
    publish(0, 60);
    const [both, more, written] = [gate(), gate(), gate()];
    let all = false;
    // Each looks for the ends of its inputs again before it is over.
    const ready: ReturnType<typeof start> = start(
      () => both.wait,
      async () => ready.completed && (await written.wait),
    );
    start(
      () => both.wait,
      async () => all && (await more.wait),
    );
    await haveTasks();
    all = true;
    both.open();
    await until('one has completed its steps', () => ready.completed);
    const before = read(shuffle).length;
    publish(60, 120);
    await until('the other one has written more', () => read(shuffle).length >= before + 40);
    for (const each of [written, more]) each.open();
    await ended();
    expect(read(out)).toEqual(upTo(120));
  });
});
