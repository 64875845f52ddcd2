import { json, type StreamRecord, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import * as rx from 'rxjs';

type Row = StreamRecord<string, number>;
type Step = (rows: rx.Observable<Row>) => rx.Observable<unknown>;

const source = topic('source', { key: string(), value: json<number>() });
const second = topic('second', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json() });

const later = async (row: Row): Promise<Row> => row;
const fails = (): Row => {
  throw new Error('oops');
};
const flat = rx.mergeMap((part: Iterable<unknown>) => part);
/** A stream that emits with every record, in its turn. */
const ticks = () => second.pipe(rx.map((row) => row));

/** Each operator as a program would use it, by its name in the table; after a colon, how. */
export const OPERATORS: Readonly<Record<string, Step>> = {
  map: rx.map((row) => row),
  filter: rx.filter(({ value }) => value !== 2),
  tap: rx.tap(() => undefined),
  ignoreElements: rx.ignoreElements(),
  finalize: rx.finalize(() => undefined),
  timestamp: rx.pipe(
    rx.timestamp(),
    rx.map(({ value }) => value),
  ),
  materialize: rx.pipe(rx.materialize(), rx.dematerialize()),
  'mergeMap: synchronous': rx.mergeMap((row) => rx.of(row, row)),
  'concatMap: synchronous': rx.concatMap((row) => [row]),
  'switchMap: synchronous': rx.switchMap((row) => [row]),
  'exhaustMap: synchronous': rx.exhaustMap((row) => [row]),
  'expand: synchronous': rx.expand((row) => (row.value < 3 ? [{ ...row, value: row.value + 1 }] : [])),
  'mergeAll: synchronous': rx.pipe(
    rx.map((row) => [row]),
    rx.mergeAll(),
  ),
  merge: (rows) => rx.merge(rows, second),
  mergeWith: rx.mergeWith(second),
  partition: (rows) => rx.merge(...rx.partition(rows, ({ value }) => value > 2)),
  'withLatestFrom: a BehaviorSubject': rx.pipe(rx.withLatestFrom(new rx.BehaviorSubject(10)), flat),
  'observeOn: queueScheduler': rx.observeOn(rx.queueScheduler),
  'catchError: with no error': rx.catchError(() => rx.EMPTY),

  scan: rx.scan((sum, { value }) => sum + value, 0),
  mergeScan: rx.mergeScan((sum, { value }) => rx.of(sum + value), 0),
  switchScan: rx.switchScan((sum, { value }) => rx.of(sum + value), 0),
  pairwise: rx.pairwise(),
  distinct: rx.distinct(({ key }) => key),
  distinctUntilChanged: rx.distinctUntilChanged((left, right) => left.key === right.key),
  distinctUntilKeyChanged: rx.distinctUntilKeyChanged('key'),
  skip: rx.skip(2),
  skipWhile: rx.skipWhile(({ value }) => value !== 2),
  skipLast: rx.skipLast(1),
  bufferCount: rx.bufferCount(2),
  windowCount: rx.pipe(
    rx.windowCount(2),
    rx.mergeMap((window) => window.pipe(rx.toArray())),
  ),
  groupBy: rx.pipe(
    rx.groupBy(({ key }) => key),
    rx.mergeMap((group) => group.pipe(rx.scan((sum, { value }) => sum + value, 0))),
  ),
  reduce: rx.reduce((sum, { value }) => sum + value, 0),
  count: rx.count(),
  min: rx.min((left, right) => left.value - right.value),
  max: rx.max((left, right) => left.value - right.value),
  toArray: rx.toArray(),
  last: rx.last(() => true, { value: 0 } as Row),
  takeLast: rx.takeLast(2),
  buffer: rx.buffer(ticks()),
  window: rx.pipe(
    rx.window(ticks()),
    rx.mergeMap((window) => window.pipe(rx.toArray())),
  ),
  sample: rx.sample(ticks()),
  zip: (rows) => rx.zip(rows, ticks()),
  combineLatest: (rows) => rx.combineLatest([rows, ticks()]),
  'withLatestFrom: a stream': rx.withLatestFrom(ticks()),
  endWith: rx.endWith({ value: 9 } as Row),
  defaultIfEmpty: rx.pipe(
    rx.filter(() => false),
    rx.defaultIfEmpty({ value: 9 } as Row),
  ),

  'mergeMap: a promise': rx.mergeMap(later),
  'concatMap: a promise': rx.concatMap(later),
  'switchMap: a promise': rx.switchMap(later),
  'exhaustMap: a promise': rx.exhaustMap(later),
  'expand: a promise': rx.expand((row) => (row.value < 3 ? later({ ...row, value: row.value + 1 }) : [])),
  delay: rx.delay(1),
  delayWhen: rx.delayWhen(() => rx.timer(1)),
  debounceTime: rx.debounceTime(1),
  debounce: rx.debounce(() => rx.timer(1)),
  auditTime: rx.auditTime(1),
  audit: rx.audit(() => rx.timer(1)),
  throttleTime: rx.throttleTime(1),
  throttle: rx.throttle(() => rx.timer(1)),
  sampleTime: rx.sampleTime(1),
  bufferTime: rx.bufferTime(1),
  windowTime: rx.windowTime(1),
  timeout: rx.timeout(1000),
  'observeOn: asyncScheduler': rx.observeOn(rx.asyncScheduler),
  subscribeOn: rx.subscribeOn(rx.asyncScheduler),
  'retry: with a delay': rx.pipe(rx.map(fails), rx.retry({ delay: 1 })),
  'merge: a timer': rx.mergeWith(rx.interval(1)),
  'combineLatest: a promise': rx.combineLatestWith(later({} as Row)),
  startWith: rx.startWith({ value: 0 } as Row),

  take: rx.take(2),
  takeWhile: rx.takeWhile(({ value }) => value < 2),
  takeUntil: rx.takeUntil(ticks()),
  skipUntil: rx.skipUntil(ticks()),
  first: rx.first(),
  find: rx.find(({ value }) => value === 2),
  findIndex: rx.findIndex(({ value }) => value === 2),
  elementAt: rx.elementAt(1),
  every: rx.every(({ value }) => value < 2),
  isEmpty: rx.isEmpty(),
  'catchError: with an error': rx.pipe(
    rx.map(fails),
    rx.catchError(() => rx.EMPTY),
  ),

  retry: rx.pipe(rx.map(fails), rx.retry(1)),
  repeat: rx.repeat(2),
  concat: (rows) => rx.concat(rows, second),
  'switchMap: a topic': rx.switchMap(() => second),
  share: rx.share(),
  shareReplay: rx.shareReplay(1),
};

/** What becomes of an operator: it `works`, `forgets` at a restart, or is refused with a code. */
export function verdictOf(step: Step): string {
  try {
    const without = run(step, false);
    return run(step, true) === without ? 'works' : 'forgets';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

const VALUES = [1, 2, 3, 4, 5];

/** All that comes out for a few records, with restarts or without. */
function run(step: Step, restart: boolean): string {
  const written = rx.map((made) => ({ key: 'k', value: shown(made), timestamp: 0, headers: [] }) as unknown as Row);
  const driver = new TestDriver(source.pipe(step, written, to(out)), { partitions: 2 });
  const topics = driver.tasks()[0]?.inputs.map((input) => input.topic) ?? [];
  for (const value of VALUES) {
    driver.pipe(source, { key: 'a', value, timestamp: value });
    if (topics.includes('second') && value % 2 === 0)
      driver.pipe(second, { key: 'a', value: -value, timestamp: value });
    if (restart && (value === 3 || value === 5)) driver.restart();
    if (topics.includes('second') && value === 3) driver.pipe(second, { key: 'a', value: -value, timestamp: value });
  }
  driver.end();
  return JSON.stringify(driver.read(out).map(({ value }) => value));
}

function shown(made: unknown): unknown {
  if (Array.isArray(made)) return made.map(shown);
  if (typeof made !== 'object' || made === null) return made ?? 'nothing';
  return 'value' in made ? made.value : 'something';
}
