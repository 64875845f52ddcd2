import type { Observable } from 'rxjs';
import type { TopicUse } from '../dataflow/node.ts';
import { Stream, subscribeSilently } from '../dataflow/stream.ts';
import type { StreamRecord } from '../record.ts';
import { sink } from '../sinks/sink.ts';

/**
 * Sends records through a topic that belongs to a step and continues with the records read from it: the shuffle inside
 * steps that need one. Null values pass through unchanged.
 */
export function shuffled<R extends StreamRecord<unknown, unknown, unknown>>(
  use: TopicUse,
  source: Observable<R>,
): Stream<R> {
  const written = sink(source, { name: 'through', topics: [use], pick: undefined });
  const read = new Stream<R>({
    kind: 'source',
    traits: { keepsTime: true },
    name: 'topic',
    detail: use.name,
    topics: [use],
    discover() {},
    attach(subscriber, task) {
      task.consume(use, {
        key: use.key,
        value: use.value,
        tombstones: true,
        table: false,
        deliver: (record) => subscriber.next(record as unknown as R),
        complete: () => subscriber.complete(),
      });
    },
  });
  return new Stream<R>({
    kind: 'through',
    traits: { keepsTime: true },
    name: 'through',
    detail: use.name,
    inputs: [read],
    roots: [written],
    discover: () => subscribeSilently(read),
    attach: (subscriber) => void read.subscribe(subscriber),
  });
}
