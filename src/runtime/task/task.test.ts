import {
  agg,
  branch,
  countByKey,
  joinTable,
  json,
  keyBy,
  mapAsync,
  mapValues,
  nullable,
  type StreamRecord,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import {
  asapScheduler,
  concat,
  concatMap,
  defer,
  delay,
  filter,
  map,
  merge,
  mergeWith,
  type Observable,
  observeOn,
  of,
  scan,
  share,
  startWith,
  switchMap,
  take,
  tap,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../errors.ts';
import { plan } from '../../plan/topology.ts';

const source = topic('source', { key: string(), value: json<number>() });
const second = topic('second', { key: string(), value: json<number>() });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const out = topic('out', { key: nullable(string()), value: json<unknown>() });
const other = topic('other', { key: nullable(string()), value: json<unknown>() });

const at = (value: number, timestamp = value, key = 'k') => ({ key, value, timestamp });
const values = (driver: TestDriver, from = out): unknown[] => driver.read(from).map(({ value }) => value);

function thrown(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}

describe('one node, once', () => {
  const counted = (): { readonly calls: number[]; note(n: number): number } => {
    const calls: number[] = [];
    return { calls, note: (n) => calls.push(n) && n };
  };

  it('runs what is above a branch point once per record: operators, plain operators, after mergeWith, in shuffles', () => {
    const a = counted();
    const b = counted();
    const c = counted();
    const above = source.pipe(
      mapValues(a.note),
      map((record) => ({ ...record, value: b.note(record.value) })),
      mergeWith(second),
      tap(({ value }) => c.note(value)),
    );
    const driver = new TestDriver([
      above.pipe(to(out)),
      above.pipe(
        mapValues((n) => n * 10),
        to(out),
      ),
      above.pipe(
        keyBy(() => 'x'),
        through(shuffle),
        to(other),
      ),
      above,
    ]);
    driver.pipe(source, at(1));
    driver.pipe(second, at(2));
    expect([a.calls, b.calls, c.calls]).toEqual([[1], [1], [1, 2]]);
    expect(values(driver)).toEqual([1, 10, 2, 20]);
    expect(values(driver, other)).toEqual([1, 2]);
  });

  it('runs it once per task, in each partition', () => {
    const { calls, note } = counted();
    const above = source.pipe(mapValues(note));
    const driver = new TestDriver([above.pipe(to(out)), above.pipe(to(other))], { partitions: 2 });
    driver.pipeAll(
      source,
      ['a', 'b', 'c', 'd'].map((key, n) => at(n, n, key)),
    );
    expect(new Set(calls)).toEqual(new Set([0, 1, 2, 3]));
    expect(calls).toHaveLength(4);
    expect(driver.read(out)).toHaveLength(4);
  });

  it('runs a pipeline once that is listed twice', () => {
    const pipeline = source.pipe(to(out));
    const driver = new TestDriver([pipeline, pipeline]);
    driver.pipe(source, at(1));
    expect(values(driver)).toEqual([1]);
  });

  it('runs an operator of ours below rxjs merge once', () => {
    const { calls, note } = counted();
    const merged = merge(source, second).pipe(mapValues(note));
    const driver = new TestDriver([merged.pipe(to(out)), merged.pipe(to(other))]);
    driver.pipe(source, at(1));
    expect(calls).toEqual([1]);
    expect([values(driver), values(driver, other)]).toEqual([[1], [1]]);
  });

  it('gives branches in the order in which they are listed, record by record', () => {
    const above = source.pipe(mapValues((n) => n));
    const driver = new TestDriver([
      above.pipe(
        mapValues((n) => `a${n}`),
        to(out),
      ),
      above.pipe(
        mapValues((n) => `b${n}`),
        to(out),
      ),
    ]);
    driver.pipeAll(source, [at(1), at(2)]);
    expect(values(driver)).toEqual(['a1', 'b1', 'a2', 'b2']);
  });
});

describe('one pipeline value, many runs', () => {
  it('shares nothing between drivers, partitions and restarts', () => {
    const sums = source.pipe(
      scan((sum, record) => ({ ...record, value: sum.value + record.value })),
      to(out),
    );
    const left = new TestDriver(sums, { partitions: 2 });
    const right = new TestDriver(sums);
    left.pipeAll(source, [
      { ...at(1), partition: 0 },
      { ...at(10), partition: 1 },
      { ...at(2), partition: 0 },
      { ...at(20), partition: 1 },
    ]);
    right.pipe(source, at(100));
    expect(new Set(values(left))).toEqual(new Set([1, 3, 10, 30]));
    expect(values(right)).toEqual([100]);
    left.restart();
    left.pipe(source, { ...at(5), partition: 0 });
    expect(values(left), 'state of plain operators does not survive').toEqual([5]);
    expect(plan(sums).stages).toHaveLength(1);
  });
});

describe('emissions outside of a turn', () => {
  const lateEmitters: [string, (from: typeof source) => Observable<unknown>][] = [
    [
      'delay',
      (from) =>
        from.pipe(
          delay(0),
          mapValues((n) => n),
          to(out),
        ),
    ],
    ['observeOn', (from) => from.pipe(observeOn(asapScheduler), to(out))],
    [
      'a promise',
      (from) =>
        from.pipe(
          concatMap(async (record) => record),
          to(out),
        ),
    ],
    ['delay at the very end', (from) => from.pipe(delay(0))],
  ];

  it.each(lateEmitters)('are foreseen when the turn ends, with an error that says what to do: %s', (_name, build) => {
    const driver = new TestDriver(build(source));
    const error = thrown(() => driver.pipe(source, at(1)));
    expect(
      thrown(() => driver.restart()),
      'nothing was committed',
    ).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
    expect(error).toMatchObject({ code: 'ERR_OUTSIDE_TURN', errorClass: 'fatal', stage: 'source' });
    expect(error.message).toMatch(/outside its task's turn.* – .*mapAsync/);
  });

  it('are refused at once when they come with the subscription', () => {
    for (const pipeline of [
      source.pipe(
        startWith({} as StreamRecord<string, number>),
        mapValues((n) => n),
      ),
      merge(source, of({} as StreamRecord<string, number>)).pipe(mapValues((n) => n)),
    ]) {
      expect(thrown(() => new TestDriver(pipeline))).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
    }
  });
});

describe('subscriptions outside of a plan', () => {
  it('are refused with ERR_NO_TASK', () => {
    const errors: unknown[] = [];
    for (const stream of [
      source,
      source.pipe(mapValues((n) => n)),
      source.pipe(map((r) => r)),
      source.pipe(through(shuffle)),
    ]) {
      stream.subscribe({ error: (error: unknown) => errors.push(error) });
    }
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).toMatchObject({ code: 'ERR_NO_TASK', errorClass: 'config' });
    expect((errors[0] as Error).message).toMatch(/topic\(source\).*client\.records/);
  });

  it('are refused when they come late: switchMap, concat', () => {
    const inner = new TestDriver(
      source.pipe(
        switchMap(() => second),
        to(out),
      ),
    );
    expect(thrown(() => inner.pipe(source, at(1)))).toMatchObject({ code: 'ERR_NO_TASK' });
    const behind = new TestDriver(concat(source, second).pipe(to(out)));
    behind.pipe(source, at(1));
    expect(thrown(() => behind.end())).toMatchObject({ code: 'ERR_NO_TASK' });
  });

  it('are refused when the pipeline has another shape each time', () => {
    const fresh = defer(() => source.pipe(mapValues((n) => n)));
    expect(thrown(() => new TestDriver(fresh.pipe(to(out))))).toMatchObject({ code: 'ERR_UNPLANNED' });
    let times = 0;
    const changing = defer(() => (times++ === 0 ? source : second)).pipe(to(out));
    expect(thrown(() => new TestDriver(changing))).toMatchObject({ code: 'ERR_UNPLANNED' });
  });

  it('of one partition for all are refused: share()', () => {
    const shared = source.pipe(share());
    const pipeline = [shared.pipe(to(out)), shared.pipe(to(other))];
    const one = new TestDriver(pipeline);
    one.pipe(source, at(1));
    expect([values(one), values(one, other)], 'one partition works').toEqual([[1], [1]]);
    one.restart();
    one.pipe(source, at(2));
    expect([values(one), values(one, other)]).toEqual([[2], [2]]);
    const error = thrown(() => new TestDriver(source.pipe(share(), to(out)), { partitions: 2 }));
    expect(error).toMatchObject({ code: 'ERR_NOT_SUBSCRIBED', topic: 'source' });
    expect(error.message).toMatch(/share\(\)/);
  });
});

describe('the end of the input', () => {
  it('completes plain operators, whose last records are written', () => {
    const list = source.pipe(
      filter(({ value }) => value > 0),
      toArray(),
      map((records) => ({ ...(records[0] as StreamRecord<string, number>), value: records.length })),
      to(out),
    );
    const driver = new TestDriver(list);
    driver.pipeAll(source, [at(1), at(2), at(0)]);
    driver.end();
    expect(values(driver)).toEqual([2]);
  });

  it('ends stages in the order in which records flow, whatever their names', () => {
    const z = topic('z', { key: string(), value: json<number>() });
    const a = topic('a', { key: string(), value: json<number>() });
    const window = tumbling({ size: '10s', grace: '0s' });
    const driver = new TestDriver(
      z.pipe(
        windowBy(window, agg.count(), { store: 'first' }),
        through(a),
        windowBy(
          window,
          agg.sum((n: number) => n),
          { store: 'second' },
        ),
        to(out),
      ),
      { partitions: 2 },
    );
    driver.pipeAll(
      z,
      ['a', 'b', 'c', 'a'].map((key) => at(1, 1, key)),
    );
    driver.end('close');
    expect(values(driver).reduce<number>((sum, n) => sum + (n as number), 0)).toBe(4);
  });

  it('waits for asynchronous work before it goes on', async () => {
    const driver = new TestDriver(
      source.pipe(
        windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 's' }),
        mapAsync(async (n) => n * 10),
        toArray(),
        map((rows) => ({ ...(rows[0] as StreamRecord<string, number>), value: rows.map(({ value }) => value) })),
        to(out),
      ),
    );
    driver.pipeAll(source, [at(1, 1, 'a'), at(1, 1, 'b')]);
    driver.end('close');
    await driver.settled();
    expect(values(driver)).toEqual([[10, 10]]);
  });

  it('leaves records that come after it for the next start', () => {
    const driver = new TestDriver(source.pipe(to(out)));
    driver.pipe(source, at(1));
    driver.end();
    driver.pipe(source, at(2));
    expect(values(driver)).toEqual([1]);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 1, lag: 1 });
    driver.restart();
    expect(values(driver)).toEqual([2]);
  });

  it('take() only takes, and the rest of the pipeline goes on', () => {
    const driver = new TestDriver([source.pipe(take(1), to(out)), source.pipe(to(other))]);
    driver.pipeAll(source, [at(1), at(2)]);
    expect([values(driver), values(driver, other)]).toEqual([[1], [1, 2]]);
  });
});

describe('order between topics', () => {
  it('is that of timestamps, ties by topic name, inside a topic that of offsets (TM-4)', () => {
    const seen: string[] = [];
    const users = table('a-users', { key: string(), value: json<number>() });
    const rows = topic('a-users', { key: string(), value: json<number>() });
    const pipeline = merge(source, second).pipe(
      joinTable(users, (n, row) => [n, row], { type: 'left' }),
      tap(({ topic: name, timestamp }) => seen.push(`${name}@${timestamp}`)),
      to(out),
    );
    const driver = new TestDriver(pipeline);
    // Written while the tasks are down, so that all of it is there before the first turn.
    driver.end();
    driver.pipeAll(source, [at(1, 30), at(2, 10)]);
    driver.pipeAll(second, [at(3, 20), at(4, 30)]);
    driver.pipeAll(rows, [at(7, 20), at(8, 40)]);
    driver.restart();
    expect(seen).toEqual(['second@20', 'second@30', 'source@30', 'source@10']);
    expect(values(driver)).toEqual([
      [3, 7],
      [4, 7],
      [1, 7],
      [2, 7],
    ]);
  });

  it('brings a table up to date before a stream of the same topic sees the record', () => {
    const self = table('source', { key: string(), value: json<number>(), store: 'self' });
    const driver = new TestDriver(
      source.pipe(
        joinTable(self, (n, row) => [n, row]),
        to(out),
      ),
    );
    driver.pipeAll(source, [at(1), at(2)]);
    expect(values(driver)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('does so whichever of both the program has made first', () => {
    const self = table('source', { key: string(), value: json<number>(), store: 'self' });
    const copied = source.pipe(to(other));
    const joined = source.pipe(
      joinTable(self, (n, row) => [n, row], { type: 'left' }),
      to(out),
    );
    const driver = new TestDriver([copied, joined]);
    driver.pipe(source, at(1));
    expect(values(driver)).toEqual([[1, 1]]);
  });
});

describe('a branch with a default', () => {
  it('splits windowed records too', () => {
    const { few, many } = branch(source.pipe(countByKey({ store: 's' })), { many: ({ value }) => value > 1 }, 'few');
    const driver = new TestDriver([few.pipe(to(out)), many.pipe(to(other))]);
    driver.pipeAll(source, [at(1), at(1)]);
    expect([values(driver), values(driver, other)]).toEqual([[1], [2]]);
  });
});
