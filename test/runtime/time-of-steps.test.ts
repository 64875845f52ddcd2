import * as millrace from 'millrace';
import { describe, expect, it } from 'vitest';
import type { NodeKind } from '../../src/dataflow/node.ts';
import type { Target } from '../../src/dataflow/target.ts';
import { encode } from '../../src/log/encode.ts';
import { plan } from '../../src/plan/topology.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import type { Task } from '../../src/runtime/task/task.ts';
import { DriverEngine } from '../../src/testing/driver-engine.ts';
import { TopicReader } from '../../src/testing/topic-reader.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { MemoryLog } from '../../src/transports/memory/memory-log.ts';
import { left, NO_STEPS, out, right, SAMPLES } from './time-of-steps.ts';

it('every exported function is known as a step, or as none', () => {
  const functions = Object.entries(millrace).filter(([, value]) => typeof value === 'function');
  const names = functions.map(([name]) => name).filter((name) => !NO_STEPS.has(name));
  const shown = Object.keys(SAMPLES).flatMap((name) => name.split(' '));
  expect(names.filter((name) => !shown.includes(name))).toEqual([]);
});

const APPLICATION = 'test';
const KINDS: readonly NodeKind[] = ['source', 'table', 'operator', 'sink', 'through'];

/** Records in the order of time, of a few keys, with silences. */
const RECORDS = Array.from({ length: 120 }, (_, n) => ({
  target: n % 3 === 0 ? right : left,
  key: 'abc'[(n + Math.floor(n / 3)) % 3]!,
  value: n,
  timestamp: 1_000_000 + n * 900 + Math.floor(n / 30) * 40_000,
}));

function started(name: keyof typeof SAMPLES, idle?: '1s') {
  const topology = plan(SAMPLES[name]!.pipeline, APPLICATION);
  const log = new MemoryLog();
  const topics = topology.stages.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
  for (const each of new Set([...topics, ...topology.globals].map((use) => use.name))) {
    log.create(each, { partitions: 1, ifMissing: true });
  }
  log.create('right', { partitions: 1, ifMissing: true });
  const clock = new VirtualClock();
  const engine = new DriverEngine(topology, log, clock, idle === undefined ? {} : { idle });
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      engine.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    engine.run();
  };
  const publish = (target: Target<string, number>, record: { key: string; value: number; timestamp: number }) => {
    const builder = new RecordBatchBuilder(256);
    const value = encode(target.use.value, record.value, target.name, 'value');
    builder.append(record.timestamp, encode(target.use.key as never, record.key, target.name, 'key'), value, []);
    log.append([log.prepare({ topic: target.name, partition: 0 }, builder)]);
  };
  return { clock, engine, log, publish, settle, topology };
}

const written = (log: MemoryLog, name: string): number[] =>
  new TopicReader(log, name)
    .read(millrace.topic(name, { key: millrace.bytes(), value: millrace.bytes() } as never))
    .map(({ timestamp }) => timestamp);

describe('what steps say of time is so', () => {
  it.each(Object.keys(SAMPLES))('%s', async (name) => {
    const { engine, log, publish, settle, topology } = started(name);
    const specs = [...topology.nodes].map(({ spec }) => spec);
    const silent = specs.filter(({ kind, traits }) => KINDS.includes(kind) && traits.keepsTime === undefined);
    expect(silent.length > 0, 'says that it keeps time').toBe(SAMPLES[name]!.hides === true);
    let waited = false;
    const holds = ({ reach }: Task): number => reach.time;
    const seen = new Map<string, number>();
    let now = -1;
    await settle();
    for (const { target, ...record } of RECORDS) {
      /** What each task has said that nothing older comes than. */
      const said = engine.tasks.map((task) => ({ task, least: Math.min(now, holds(task)) }));
      waited ||= said.some(({ task }) => holds(task) < Number.POSITIVE_INFINITY);
      if (log.describe(target.name) !== undefined) publish(target, record);
      await settle();
      for (const { least, task } of said) {
        for (const { name: topic } of task.stage.outputs) {
          const rows = written(log, topic).slice(seen.get(topic) ?? 0);
          waited ||= rows.some((timestamp) => timestamp < now);
          if (SAMPLES[name]!.hides === undefined) {
            expect(Math.min(...rows), `${task.id} had said ${least}`).toBeGreaterThanOrEqual(least);
          }
        }
      }
      for (const { outputs } of topology.stages) {
        for (const { name: topic } of outputs) seen.set(topic, written(log, topic).length);
      }
      now = record.timestamp;
    }
    if (SAMPLES[name]!.hides !== undefined) return;
    expect(
      specs.some(({ traits }) => traits.waits === true),
      'rows wait for stream time',
    ).toBe(waited);
    const later = { key: 'a', value: 0, timestamp: 3 * 24 * 3_600_000 };
    for (const target of [left, right]) if (log.describe(target.name) !== undefined) publish(target, later);
    await settle();
    for (const { target, ...record } of RECORDS.slice(0, 12)) {
      if (log.describe(target.name) !== undefined) publish(target, record);
    }
    await settle();
    expect(
      specs.some(({ traits }) => traits.mayBeLate === true),
      'records may be late',
    ).toBe(engine.late.length > 0);
  });
});

describe('what waits goes on with the clock where nothing comes', () => {
  it.each(Object.keys(SAMPLES))('%s', async (name) => {
    const { clock, engine, publish, log, settle } = started(name, '1s');
    await settle();
    for (const { target, ...record } of RECORDS.slice(0, 50)) {
      if (log.describe(target.name) !== undefined) publish(target, record);
    }
    await settle();
    for (let hours = 0; hours < 60; hours += 1) {
      clock.advance(3_600_000);
      await settle();
    }
    expect(written(log, out.name).length, 'it gives rows').toBeGreaterThan(0);
    expect(engine.tasks.filter(({ reach }) => reach.holdsRows).map(({ id }) => id)).toEqual([]);
  });
});
