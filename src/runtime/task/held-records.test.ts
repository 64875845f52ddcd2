import { branch, json, mapAsync, mapValues, type StreamRecord, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import {
  AsyncSubject,
  asapScheduler,
  asyncScheduler,
  audit,
  auditTime,
  BehaviorSubject,
  bindCallback,
  buffer,
  bufferCount,
  bufferTime,
  bufferToggle,
  bufferWhen,
  catchError,
  combineLatest,
  combineLatestWith,
  concatAll,
  concatMap,
  concatWith,
  connect,
  count,
  debounce,
  debounceTime,
  delay,
  delayWhen,
  distinct,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  expand,
  filter,
  finalize,
  first,
  from,
  groupBy,
  identity,
  interval,
  type MonoTypeOperatorFunction,
  map,
  merge,
  mergeAll,
  mergeMap,
  mergeScan,
  mergeWith,
  Observable,
  observeOn,
  of,
  pairwise,
  pipe,
  queueScheduler,
  repeat,
  retry,
  Subject,
  Subscription,
  sampleTime,
  scan,
  share,
  shareReplay,
  subscribeOn,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  throttleTime,
  timeout,
  timer,
  toArray,
  windowCount,
  windowTime,
  withLatestFrom,
  zip,
  zipWith,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../errors.ts';
import { describePipeline } from '../../plan/graph.ts';

type Row = StreamRecord<string, number>;
type Operator = (rows: Observable<Row>) => Observable<unknown>;

const source = topic('source', { key: string(), value: json<number>() });
const second = topic('second', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });

const at = (value: number) => ({ key: 'k', value, timestamp: value });
const written = (row: unknown): Row => row as Row;
const soon = async (row: Row): Promise<Row> => row;

function thrown(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}

function fed(operator: Operator, ...rows: readonly number[]): TestDriver {
  const driver = new TestDriver(source.pipe(operator, map(written), to(out)));
  driver.pipeAll(source, rows.map(at));
  return driver;
}

/** A careless operator, as people write them: it tears nothing down. */
const handmade: MonoTypeOperatorFunction<Row> = (rows) =>
  new Observable<Row>((subscriber) => {
    rows.subscribe({ next: (row) => subscriber.next(row), complete: () => subscriber.complete() });
  });

describe('what a plain RxJS operator holds when a turn is over', () => {
  const asynchronous: Record<string, Operator> = {
    'mergeMap with a promise': mergeMap(soon),
    'mergeMap with a timer': mergeMap((row) => timer(1).pipe(map(() => row))),
    'mergeMap with a request that can be cancelled': mergeMap(() => new Observable<Row>(() => () => undefined)),
    'mergeMap with a reply by Subject': mergeMap(() => new Subject<Row>()),
    'concatMap with a promise': concatMap(soon),
    'switchMap with a promise': switchMap(soon),
    'exhaustMap with a promise': exhaustMap(soon),
    'mergeScan with a promise': mergeScan((_, row) => soon(row), undefined as Row | undefined),
    'map to promises, and mergeAll': pipe(map(soon), mergeAll()),
    'from(promise) inside': mergeMap((row) => from(soon(row))),
    'an async generator': concatMap(async function* (row: Row) {
      yield row;
    }),
    'delay inside': mergeMap((row) => of(row).pipe(delay(0))),
    'two levels down': mergeMap((row) => of(row).pipe(mergeMap((same) => of(same).pipe(mergeMap(soon))))),
    'an inner subscription later': mergeMap((row) => of(row).pipe(subscribeOn(asapScheduler))),
    delay: delay(0),
    'delay in the middle': pipe(
      filter(() => true),
      delay(0),
      filter(() => true),
      map(identity),
    ),
    delayWhen: delayWhen(() => timer(0)),
    debounce: debounce(() => timer(0)),
    debounceTime: debounceTime(0),
    audit: audit(() => timer(0)),
    auditTime: auditTime(0),
    'throttleTime with its last': throttleTime(0, asyncScheduler, { leading: false, trailing: true }),
    observeOn: observeOn(asyncScheduler),
    'observeOn a microtask': observeOn(asapScheduler),
    expand: expand((row) => (row.value < 3 ? from(soon({ ...row, value: row.value + 1 })) : EMPTY)),
    'groupBy with a timer in each group': pipe(
      groupBy(({ key }) => key),
      mergeMap((group) => group.pipe(debounceTime(0))),
    ),
    'groupBy with a promise in each group': pipe(
      groupBy(({ key }) => key),
      mergeMap((group) => group.pipe(concatMap(soon))),
    ),
    'groupBy that ends groups by time': pipe(
      groupBy(({ key }) => key, { duration: () => timer(1000) }),
      mergeMap((group) => group.pipe(scan((_, row) => row))),
    ),
    'windowCount with a promise': pipe(
      windowCount(2),
      mergeMap((window) => window.pipe(mergeMap(soon))),
    ),
    'groupBy with a shared promise in each group': pipe(
      groupBy(({ key }) => key),
      mergeMap((group) => group.pipe(mergeMap((row) => from(soon(row)).pipe(shareReplay(1))))),
    ),
    'map to shared promises, and concatAll': pipe(
      map((row: Row) => from(soon(row)).pipe(shareReplay(1))),
      concatAll(),
    ),
    'map to Subjects that a promise answers, and mergeAll': pipe(
      map((row: Row) => {
        const reply = new AsyncSubject<Row>();
        void soon(row).then((same) => reply.next(same));
        return reply;
      }),
      mergeAll(),
    ),
    'groupBy with callbacks': pipe(
      groupBy(({ key }) => key),
      mergeMap((group) =>
        group.pipe(mergeMap((row) => bindCallback((done: (row: Row) => void) => queueMicrotask(() => done(row)))())),
      ),
    ),
    'groupBy with an Observable that is torn down by a Subscription': pipe(
      groupBy(({ key }) => key),
      mergeMap((group) => group.pipe(mergeMap(() => new Observable<Row>(() => new Subscription())))),
    ),
    'groups beside a shared promise': (rows) =>
      merge(
        rows.pipe(
          groupBy(({ key }) => key),
          mergeMap(identity),
        ),
        rows.pipe(mergeMap((row) => from(soon(row)).pipe(share()))),
      ),
    'retry after a while': pipe(
      map((): Row => {
        throw new Error('once more');
      }),
      retry({ delay: 0 }),
    ),
    'behind share': pipe(share(), delay(0)),
    'before share': pipe(delay(0), share()),
    'behind shareReplay': pipe(delay(0), shareReplay({ bufferSize: 1, refCount: true })),
    'behind merge': (rows) => merge(rows, second).pipe(delay(0), map(identity)),
    'before merge': (rows) => merge(rows.pipe(delay(0)), second),
    'behind merge and share': (rows) => merge(rows, second).pipe(delay(0), map(identity), share()),
    'behind combineLatest': (rows) =>
      combineLatest([rows, rows.pipe(map(identity))]).pipe(
        map(([row]) => row),
        delay(0),
      ),
    'in one of two branches': (rows) => {
      const { even, rest } = branch(rows, { even: ({ value }) => value % 2 === 0 }, 'rest');
      return merge(even, rest.pipe(debounceTime(0)));
    },
    'behind an operator made by hand': pipe(handmade, delay(0), map(identity)),
    'before an operator made by hand': pipe(delay(0), handmade),
    'inside an operator made by hand': (rows) =>
      new Observable<Row>((subscriber) => rows.pipe(delay(0)).subscribe(subscriber)),
    'behind an operator of ours': pipe(
      mapValues((n: number) => n),
      delay(0),
    ),
  };

  it.each(Object.entries(asynchronous))('%s: stops before the commit', (_name, operator) => {
    const driver = new TestDriver(source.pipe(operator, map(written), to(out)));
    const error = thrown(() => driver.pipeAll(source, [at(1), at(2)]));
    expect(error).toMatchObject({
      code: 'ERR_OUTSIDE_TURN',
      errorClass: 'fatal',
      stage: expect.stringMatching('source'),
    });
    expect(error.message).toMatch(/an RxJS operator(?: between .*|, at .*) – .*mapAsync/);
    expect(driver.read(out)).toEqual([]);
    // A start from the last commit meets the same records again.
    expect(thrown(() => driver.restart())).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
  });

  const fromTheStart: Record<string, Operator> = {
    bufferTime: bufferTime(1000),
    'bufferTime, and more below': pipe(bufferTime(1000), mergeMap(identity), map(identity)),
    sampleTime: sampleTime(1000),
    bufferWhen: bufferWhen(() => timer(1000)),
    windowTime: pipe(windowTime(1000), mergeAll()),
    timeout: timeout(1000),
    'buffer by a timer': buffer(interval(1000)),
    bufferToggle: bufferToggle(interval(1000), () => timer(1)),
    'takeUntil a timer': takeUntil(timer(1000)),
    'merge with a timer': mergeWith(interval(1000)),
    subscribeOn: subscribeOn(asyncScheduler),
    'behind merge': (rows) => merge(rows, second).pipe(bufferTime(1000), mergeMap(identity)),
  };

  it.each(Object.entries(fromTheStart))('%s: is refused when planned', (_name, operator) => {
    for (const refused of [
      () => describePipeline(source.pipe(operator, map(written), to(out))),
      () => new TestDriver(source.pipe(operator)),
    ]) {
      const error = thrown(refused);
      expect(error).toMatchObject({ code: 'ERR_OUTSIDE_TURN', errorClass: 'fatal' });
      expect(error.message).toMatch(/RxJS operator .* – .*mapAsync/);
    }
  });

  const promises: Record<string, Operator> = {
    combineLatestWith: combineLatestWith(Promise.resolve(1)),
    withLatestFrom: withLatestFrom(Promise.resolve(1)),
    zipWith: zipWith(Promise.resolve(1)),
    takeUntil: takeUntil(new Promise(() => undefined)),
  };

  it.each(Object.entries(promises))('%s with a promise: is refused when its task is built', (_name, operator) => {
    expect(thrown(() => new TestDriver(source.pipe(operator)))).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
  });

  it('is found behind mapAsync, in a branch of late turns', async () => {
    const driver = new TestDriver(
      source.pipe(
        mapAsync(async (n: number) => n),
        delay(0),
        to(out),
      ),
    );
    driver.pipe(source, at(1));
    await expect(driver.settled()).rejects.toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
  });

  it('is found at the end of the input', () => {
    const driver = fed(pipe(toArray(), delay(0)), 1, 2);
    expect(thrown(() => driver.end())).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
    const again = fed(repeat({ delay: 1 }), 1);
    expect(thrown(() => again.end())).toMatchObject({ code: 'ERR_OUTSIDE_TURN' });
  });

  it('is named by its neighbours, and by where it was applied', () => {
    const pipeline = source.pipe(
      mapValues((n) => n),
      delay(0),
      map(identity),
      to(out),
    );
    const { message } = thrown(() => new TestDriver(pipeline).pipe(source, at(1)));
    expect(message).toMatch(/between mapValues and to\(out\), at \S*held-records\.test\.ts:\d+:\d+,/);
    const behind = merge(source, second).pipe(delay(0), to(out));
    expect(thrown(() => new TestDriver(behind).pipe(source, at(1))).message).toMatch(/between .* and to\(out\)/);
    const planned = thrown(() => describePipeline(source.pipe(bufferTime(5), mergeMap(identity), to(out))));
    expect(planned.message).toMatch(/between topic\(source\) and to\(out\), at \S*held-records\.test\.ts/);
  });
});

describe('what works synchronously', () => {
  const config = new BehaviorSubject(10);
  const synchronous: Record<string, readonly [Operator, readonly number[]]> = {
    'mergeMap with of': [mergeMap((row) => of(row, row)), [1, 1, 2, 2, 3, 3]],
    'concatMap with an array': [concatMap((row) => [row]), [1, 2, 3]],
    'switchMap with of': [switchMap((row) => of(row)), [1, 2, 3]],
    'exhaustMap with of': [exhaustMap((row) => of(row)), [1, 2, 3]],
    'a scheduler that queues': [observeOn(queueScheduler), [1, 2, 3]],
    'expand with of': [
      expand((row) => (row.value < 3 ? of({ ...row, value: row.value + 1 }) : EMPTY)),
      [1, 2, 3, 2, 3, 3],
    ],
    'delayWhen without a delay': [delayWhen(() => of(0)), [1, 2, 3]],
    'filter and tap': [
      pipe(
        filter(({ value }) => value > 1),
        tap(() => undefined),
      ),
      [2, 3],
    ],
    distinct: [distinct(({ key }) => key), [1]],
    distinctUntilChanged: [distinctUntilChanged((left, right) => left.key === right.key), [1]],
    pairwise: [
      pipe(
        pairwise(),
        map(([left]) => left),
      ),
      [1, 2],
    ],
    bufferCount: [pipe(bufferCount(2), mergeMap(identity)), [1, 2]],
    'groupBy with mergeMap': [
      pipe(
        groupBy(({ value }) => value % 2),
        mergeMap((group) => group.pipe(scan((sum, row) => ({ ...row, value: sum.value + row.value })))),
      ),
      [1, 2, 4],
    ],
    'groupBy with mergeAll': [
      pipe(
        groupBy(({ value }) => value % 2),
        mergeAll(),
      ),
      [1, 2, 3],
    ],
    'groupBy behind merge': [
      (rows) =>
        merge(rows, second).pipe(
          groupBy(({ value }) => value % 2),
          mergeMap((group) => group.pipe(map(identity))),
        ),
      [1, 2, 3],
    ],
    'groupBy within groups': [
      pipe(
        groupBy(({ value }) => value % 2),
        mergeMap((group) =>
          group.pipe(
            groupBy(({ key }) => key),
            mergeMap((inner) => inner.pipe(map(identity))),
          ),
        ),
      ),
      [1, 2, 3],
    ],
    'groupBy with connect': [
      pipe(
        groupBy(({ value }) => value % 2),
        mergeMap((group) =>
          group.pipe(connect((rows) => merge(rows.pipe(filter(() => false)), rows.pipe(map(identity))))),
        ),
      ),
      [1, 2, 3],
    ],
    'windowCount with mergeMap': [
      pipe(
        windowCount(2),
        mergeMap((window) => window.pipe(toArray(), mergeMap(identity))),
      ),
      [1, 2],
    ],
    'withLatestFrom a value': [
      pipe(
        withLatestFrom(config),
        map(([row, by]) => ({ ...row, value: row.value * by })),
      ),
      [10, 20, 30],
    ],
    'takeUntil that never comes': [takeUntil(new Subject()), [1, 2, 3]],
    'an operator made by hand': [handmade, [1, 2, 3]],
    'operators behind one made by hand': [
      pipe(
        handmade,
        map(identity),
        mergeMap((row) => of(row)),
      ),
      [1, 2, 3],
    ],
    share: [pipe(share(), map(identity)), [1, 2, 3]],
    finalize: [finalize(() => undefined), [1, 2, 3]],
    catchError: [catchError(() => EMPTY), [1, 2, 3]],
    retry: [retry(2), [1, 2, 3]],
    concatWith: [concatWith(of({ ...at(9) } as unknown as Row)), [1, 2, 3]],
    zip: [(rows) => zip(rows, rows.pipe(map(identity))).pipe(map(([row]) => row)), [1, 2, 3]],
  };

  it.each(Object.entries(synchronous))('%s: goes on working, before and after a commit', (_name, [operator, rows]) => {
    const values = (driver: TestDriver): unknown[] => driver.read(out).map(({ value }) => value);
    expect(values(fed(operator, 1, 2, 3))).toEqual(rows);
    const driver = fed(operator, 1);
    driver.pipe(source, at(2));
    driver.pipe(source, at(3));
    expect(values(driver)).toEqual(rows);
  });

  it('is not slowed down by many groups that are open', () => {
    const driver = fed(
      pipe(
        groupBy(({ value }) => value),
        mergeMap((group) => group.pipe(scan((_, row) => row))),
      ),
      ...Array.from({ length: 2000 }, (_, n) => n),
    );
    expect(driver.read(out)).toHaveLength(2000);
  });
});

describe('an operator that ends its stream', () => {
  const ending: Record<string, Operator> = {
    take: take(2),
    takeWhile: takeWhile(({ value }) => value < 2),
    first: first(),
    'takeUntil another topic': takeUntil(source.pipe(filter(({ value }) => value === 2))),
    'catchError with nothing': pipe(
      map((): Row => {
        throw new Error('oops');
      }),
      catchError(() => EMPTY),
    ),
    'an operator made by hand that leaves': (rows) =>
      new Observable<Row>((subscriber) => {
        const subscription = rows.subscribe((row) => {
          subscriber.next(row);
          subscription.unsubscribe();
        });
      }),
    'one of two topics': (rows) => merge(rows.pipe(take(1)), second),
    'below an operator of ours': pipe(
      mapValues((n: number) => n),
      take(1),
    ),
  };

  it.each(Object.entries(ending))('%s: stops the task before further records are passed over', (_name, operator) => {
    const driver = new TestDriver(source.pipe(operator, map(written), to(out)));
    const error = thrown(() => driver.pipeAll(source, [at(1), at(2), at(3)]));
    expect(error).toMatchObject({ code: 'ERR_STREAM_ENDED', errorClass: 'fatal' });
    expect(error.message).toMatch(/an RxJS operator between topic\(source\)/);
    expect(driver.read(out)).toEqual([]);
  });

  it('is found where all branches have ended', () => {
    const driver = new TestDriver([source.pipe(take(1), to(out)), source.pipe(take(2), count())]);
    driver.pipe(source, at(1));
    expect(thrown(() => driver.pipe(source, at(2)))).toMatchObject({ code: 'ERR_STREAM_ENDED' });
  });

  it('is found where one branch has ended', () => {
    const { odd } = branch(source, { odd: ({ value }) => value % 2 === 1 }, 'even');
    const driver = new TestDriver([odd.pipe(take(1), to(out)), source.pipe(count())]);
    expect(thrown(() => driver.pipe(source, at(1)))).toMatchObject({ code: 'ERR_STREAM_ENDED' });
  });

  it('may end it when the input does', () => {
    const driver = fed(pipe(toArray(), mergeMap(identity)), 1, 2);
    driver.end();
    expect(driver.read(out)).toHaveLength(2);
  });
});
