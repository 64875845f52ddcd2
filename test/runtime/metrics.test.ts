import {
  agg,
  connect,
  deadLetter,
  int32,
  json,
  keyBy,
  MillraceError,
  mapValues,
  memoryTransport,
  nullable,
  prometheusText,
  run,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { map } from 'rxjs';
import { expect, it } from 'vitest';
import { until } from './support.ts';

const source = topic('source', { value: json<{ user: string; n: number }>(), partitions: 2 });
const raw = topic('source', { value: string(), partitions: 2 });
const byUser = topic('by-user', { key: string(), value: json<{ user: string; n: number }>() });
const sums = topic('sums', { key: string(), value: int32() });

function pipelineOf(check: (n: number) => void) {
  return source.pipe(
    mapValues((value) => {
      check(value.n);
      return value;
    }),
    keyBy(({ user }) => user),
    through(byUser),
    map((record) => record),
    windowBy(
      tumbling({ size: '1m', grace: '0s' }),
      agg.sum(({ n }) => n),
      { store: 'sums' },
    ),
    to(sums),
  );
}

const record = (user: string, n: number, timestamp: number, partition = 0) => ({
  value: { user, n },
  timestamp,
  partition,
});

it('counts what happens in each step, on its way through the pipeline', async () => {
  const transport = memoryTransport();
  const client = await connect({ transport });
  await client.publishAll(source, [
    record('ada', 1, 0),
    record('ada', 2, 61_000),
    record('ada', 3, 5000),
    record('ada', 13, 61_000),
  ]);
  await client.publish(raw, { value: 'oops', timestamp: 61_000, partition: 0 });
  const pipeline = pipelineOf((n) => {
    if (n === 13) throw new Error('thirteen');
  });
  const app = run(pipeline, {
    applicationId: 'meters',
    transport,
    until: 'end',
    onRecordError: deadLetter('bad'),
    logger: false,
  });
  await app.done;
  const { steps } = app.snapshot();
  const of = (step: string) => steps.find((each) => each.step === step);
  expect(steps.map(({ id }) => id)).toEqual(steps.map((_, at) => at));
  expect(of('topic(source)')).toMatchObject({ recordsIn: 5, recordsOut: 4, failed: 1, deadLettered: 1 });
  expect(of('mapValues')).toMatchObject({ recordsIn: 4, recordsOut: 3, failed: 1, deadLettered: 1 });
  expect(steps.filter(({ step }) => step === 'through(by-user)').map(({ recordsOut }) => recordsOut)).toEqual([3, 3]);
  expect(of('windowBy(sums)')).toMatchObject({ recordsIn: 3, late: 0, dropped: 0 });
  expect(of('to(sums)')).toMatchObject({ recordsIn: 1, recordsOut: 1 });
  const above = of('mapValues')?.inputs[0];
  expect(above).toEqual({ from: of('topic(source)')?.id, records: 4 });
  await client.close();
});

it('counts late and dropped records where they are', async () => {
  const transport = memoryTransport();
  const client = await connect({ transport });
  const numbers = topic('numbers', { key: nullable(string()), value: int32(), partitions: 1 });
  await client.publishAll(numbers, [
    { key: 'a', value: 1, timestamp: 0 },
    { key: 'a', value: 1, timestamp: 61_000 },
    { key: 'a', value: 1, timestamp: 5000 },
    { key: null, value: 1, timestamp: 62_000 },
  ]);
  const window = windowBy(
    tumbling({ size: '1m', grace: '0s' }),
    agg.sum((n: number) => n),
    { store: 'sums' },
  );
  const app = run(numbers.pipe(window), { applicationId: 'late', transport, until: 'end', logger: false });
  await app.done;
  const { dropped, late, steps } = app.snapshot();
  expect({ late, dropped }).toEqual({ late: 1, dropped: 1 });
  expect(steps.find(({ step }) => step === 'windowBy(sums)')).toMatchObject({ recordsIn: 4, late: 1, dropped: 1 });
  await client.close();
});

it('goes on counting when tasks are rebuilt, so that no counter ever falls', async () => {
  const transport = memoryTransport();
  const client = await connect({ transport });
  await client.publishAll(source, [record('ada', 1, 0), record('ada', 2, 1)]);
  let failures = 0;
  const pipeline = pipelineOf((n) => {
    if (n !== 7 || failures > 0) return;
    failures += 1;
    throw new MillraceError('retriable', 'ERR_TEST', 'once more');
  });
  const app = run(pipeline, { applicationId: 'again', transport, logger: false });
  const read = (): number => app.snapshot().steps.find(({ step }) => step === 'mapValues')?.recordsIn ?? 0;
  await until('the first two', () => read() === 2 && app.snapshot().lag === 0);
  await until('their commit', () => app.snapshot().timings.recordToCommit.count > 0);
  await client.publish(source, record('ada', 7, 2));
  await until('the restart', () => app.snapshot().restarts === 1 && app.snapshot().tasks.length > 0);
  await until('the third', () => read() >= 4);
  const { timings } = app.snapshot();
  expect(timings.commits.count).toBeGreaterThan(0);
  expect(timings.turns.count).toBeGreaterThan(0);
  await app.stop();
  await client.close();
});

it('tells how far each input is behind, in records and in time', async () => {
  const transport = memoryTransport();
  const client = await connect({ transport });
  const now = Date.now();
  const held = { go: () => {} };
  await client.publishAll(source, [record('ada', 1, now - 60_000), record('ada', 2, now - 60_000, 1)]);
  const pipeline = pipelineOf(() => held.go());
  const app = run(pipeline, { applicationId: 'lag', transport, logger: false });
  await until('all', () => app.snapshot().lag === 0 && app.snapshot().recordsIn === 4);
  const inputs = () => app.snapshot().tasks.flatMap((task) => task.inputs.filter(({ topic }) => topic === 'source'));
  expect(inputs().map(({ lag, lagMs }) => [lag, lagMs])).toEqual([
    [0, 0],
    [0, 0],
  ]);
  const seen: unknown[] = [];
  held.go = () => seen.push(inputs().find(({ partition }) => partition === 0));
  await client.publishAll(source, [record('ada', 3, now - 30_000), record('ada', 4, now)]);
  await until('them', () => seen.length === 2);
  expect(seen[0]).toMatchObject({ lag: 2 });
  expect((seen[0] as { lagMs: number }).lagMs).toBeGreaterThanOrEqual(30_000);
  await app.stop();
  await client.close();
});

it('gives metrics that Prometheus takes, with those of the process', async () => {
  const transport = memoryTransport();
  const client = await connect({ transport });
  await client.publishAll(source, [record('ada', 1, 0), record('ada', 2, 61_000)]);
  const app = run(
    pipelineOf(() => {}),
    { applicationId: 'shop', transport, until: 'end', logger: false },
  );
  app.metrics();
  await app.done;
  const metrics = app.metrics();
  const text = prometheusText(metrics);
  expect(text).toContain('millrace_step_records_in_total{application="shop",stage="source",step="mapValues",id="');
  expect(text).toMatch(/^millrace_state\{application="[^}]*",state="stopped"\} 1$/m);
  expect(text).toMatch(/^millrace_commit_duration_seconds_bucket\{[^}]*le="\+Inf"\} [1-9]\d*$/m);
  expect(text).toMatch(/^millrace_source_position\{[^}]*topic="source",partition="0"\} 2$/m);
  expect(text).toMatch(/^millrace_task_open_windows\{[^}]*\} 1$/m);
  // One HELP and one TYPE for each name, and a number on every other line.
  for (const each of text.trimEnd().split('\n'))
    expect(each).toMatch(/^# (HELP|TYPE) \S+ .+$|^\S+?(\{.*\})? [-+\d.eInfNa]+$/);
  const names = metrics.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  await client.close();
});
