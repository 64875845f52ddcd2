import { filterValues, flatMapValues, int32, keyBy, mapValues, topic } from 'millrace';
import { map, type Observable, Subject } from 'rxjs';
import { inChild } from './shared/child.ts';
import { medianOf, type Time, timesOf } from './shared/measure.ts';
import { batchesOf, pass } from './shared/one-task.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';

const numbers = topic('numbers', { value: int32() });

const PIPELINES = {
  none: () => numbers,
  five: () =>
    numbers.pipe(
      mapValues((n) => n + 1),
      filterValues((n) => n >= 0),
      mapValues((n) => n * 2),
      flatMapValues((n) => [n]),
      keyBy((n) => n & 1023),
    ),
  // The same work as three mapValues do, written with what RxJS brings.
  rxjs: () =>
    numbers.pipe(
      map((record) => ({ ...record, value: record.value + 1 })),
      map((record) => ({ ...record, value: record.value * 2 })),
      map((record) => ({ ...record, value: record.value + 1 })),
      map((record) => ({ ...record, value: record.value * 2 })),
      map((record) => ({ ...record, value: record.value + 1 })),
    ),
} satisfies Record<string, () => Observable<unknown>>;

const microsOf = (times: readonly Time[], records: number): number =>
  (medianOf(times.map(({ cpuMs }) => cpuMs)) * 1000) / records;

/** Microseconds per record of a task: reading the record, decoding an int32, and the operators. */
export function taskMicros(which: keyof typeof PIPELINES, records: number, runs: number): number {
  const value = new Uint8Array([0, 0, 1, 0]);
  const batches = batchesOf(records, (at) => ({ key: null, value, timestamp: 1_700_000_000_000 + at }));
  const pipeline = PIPELINES[which]();
  return microsOf(
    timesOf(() => pass(pipeline, batches), { runs, warmUps: 3 }),
    records,
  );
}

/** Microseconds per number through five RxJS `map`, or through none. */
export function rxjsMicros(maps: boolean, records: number, runs: number): number {
  const source = new Subject<number>();
  const mapped = maps
    ? source.pipe(
        map((n) => n + 1),
        map((n) => n * 2),
        map((n) => n - 1),
        map((n) => n ^ 5),
        map((n) => n & 1023),
      )
    : source;
  let sum = 0;
  mapped.subscribe((n) => {
    sum += n;
  });
  const feed = (): number => {
    for (let at = 0; at < records; at += 1) source.next(at);
    return sum;
  };
  return microsOf(timesOf(feed, { runs, warmUps: 3 }), records);
}

/**
 * What operators add to the time of a record: the time of a task with them less that of a task without, each in a process
 * of its own. Decoding the record is in both, and so cancels out.
 */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const records = quick ? 50_000 : 1_000_000;
  const processes = quick ? 1 : 5;
  const runs = quick ? 3 : 7;
  const micros = (which: keyof typeof PIPELINES): Promise<number> =>
    inChild(import.meta.url, 'taskMicros', which, records, runs);
  const five: number[] = [];
  const rxjs: number[] = [];
  const source: number[] = [];
  const bare: number[] = [];
  for (let at = 0; at < processes; at += 1) {
    const none = await micros('none');
    source.push(none);
    five.push((await micros('five')) - none);
    rxjs.push((await micros('rxjs')) - none);
    const silent = await inChild<number>(import.meta.url, 'rxjsMicros', false, records, runs);
    bare.push((await inChild<number>(import.meta.url, 'rxjsMicros', true, records, runs)) - silent);
  }
  const lower = { higherIsBetter: false };
  return [
    rowOf('task without operators (int32)', 'µs/record', source, lower),
    rowOf('five stateless operators', 'µs/record', five, { ...lower, target: 0.5 }),
    rowOf('five RxJS map on records, in a task', 'µs/record', rxjs, lower),
    rowOf('five RxJS map on numbers', 'µs/record', bare, lower),
  ];
}
