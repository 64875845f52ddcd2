import { json, keyValue, output, process, type StreamRecord, string, type Topic, to, topic } from '../../src/index.ts';

/** Length of a span of event time, in ms. */
const SPAN = 10;
/** A key is silent when the wall clock has gone on for so long. */
const SILENT_MS = 150;

/** What the step says of a key: how many records it has, that a span is over, that nothing comes any more. */
export type Row =
  | { readonly is: 'count'; readonly count: number }
  | { readonly is: 'closed'; readonly end: number }
  | { readonly is: 'silent'; readonly count: number };

export interface Topics {
  readonly from: Topic<string, number>;
  readonly into: Topic<string, Row>;
}

export function topicsOf(from: string, into: string): Topics {
  return {
    from: topic(from, { key: string(), value: json<number>(), partitions: 2 }),
    into: topic(into, { key: string(), value: json<Row>(), partitions: 2 }),
  };
}

/** A step with a store, timers on stream time and timers on the wall clock. */
export const counting = ({ from, into }: Topics) =>
  from.pipe(
    process({
      name: 'counting',
      stores: { counts: keyValue('counts', { value: json<number>() }) },
      timers: { close: 'stream-time', silent: 'wall-clock' },
      emits: output<Row>(),
      next({ timestamp }, { emit, key, now, stores, timers }) {
        const count = (stores.counts.get(key) ?? 0) + 1;
        stores.counts.set(key, count);
        emit({ is: 'count', count });
        timers.close.add(timestamp - (timestamp % SPAN) + SPAN);
        timers.silent.set(now + SILENT_MS);
      },
      due: {
        close: ({ time }, { emit }) => emit({ is: 'closed', end: time }),
        silent: ({ key }, { emit, stores }) => emit({ is: 'silent', count: stores.counts.get(key) ?? 0 }),
      },
    }),
    to(into),
  );

type Input = StreamRecord<string, number>;
type Output = StreamRecord<string, Row>;

const ofKey = <R extends { readonly key: string }>(records: readonly R[], key: string): R[] =>
  records.filter((record) => record.key === key);

/** Whether the last thing said of each key is that it is silent, with all of its records counted. */
export function isOver(inputs: readonly Input[], outputs: readonly Output[]): boolean {
  return [...new Set(inputs.map(({ key }) => key))].every((key) => {
    const said = ofKey(outputs, key).map(({ value }) => value);
    const last = said.findLast(({ is }) => is !== 'closed');
    return last?.is === 'silent' && last.count === ofKey(inputs, key).length;
  });
}

/** What is wrong with the rows: each count, each closed span and each silence must be there once, in its place. */
export function faults(inputs: readonly Input[], outputs: readonly Output[]): string[] {
  const found: string[] = [];
  for (const key of new Set(inputs.map(({ key: each }) => each))) {
    const own = ofKey(inputs, key);
    const said = ofKey(outputs, key).map(({ value }) => value);
    const counts = said.flatMap((row) => (row.is === 'count' ? [row.count] : []));
    const expected = own.map((_, at) => at + 1);
    if (counts.join() !== expected.join()) found.push(`${key} is counted ${counts.join()} of ${own.length}`);
    const { partition } = own[0] as Input;
    const time = Math.max(...inputs.filter((each) => each.partition === partition).map(({ timestamp }) => timestamp));
    const ends = new Set(own.map(({ timestamp }) => timestamp - (timestamp % SPAN) + SPAN));
    const closed = said.flatMap((row) => (row.is === 'closed' ? [row.end] : []));
    const over = [...ends].filter((end) => end <= time).sort((left, right) => left - right);
    if (closed.join() !== over.join()) found.push(`${key} is closed at ${closed.join()} instead of ${over.join()}`);
    let silent = false;
    let count = 0;
    for (const row of said) {
      if (row.is === 'closed') continue;
      if (row.is === 'silent' && (silent || row.count !== count))
        found.push(`${key} is silent at ${row.count} of ${count}`);
      silent = row.is === 'silent';
      count = row.count;
    }
  }
  return found;
}
