import { agg, int32, keyBy, mapAsync, type Pipeline, string, through, to, topic, tumbling, windowBy } from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { TopicReader } from '../../src/testing/topic-reader.ts';
import { MemoryLog } from '../../src/transports/memory/index.ts';
import { Instance, tasksOf } from './several-instances.ts';
import { gate, until } from './support.ts';

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
