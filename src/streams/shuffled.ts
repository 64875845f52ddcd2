import type { Observable } from 'rxjs';
import type { TopicUse } from '../dataflow/node.ts';
import { Stream, subscribeSilently } from '../dataflow/stream.ts';
import type { StreamRecord } from '../record.ts';
import { sink } from '../sinks/sink.ts';

/**
 * Sends records through a topic of a step's own, and goes on with what is read from it: the shuffle below steps that need one.
 * Null values go through as they are.
 */
export function shuffled<R extends StreamRecord<unknown, unknown, unknown>>(
  source: Observable<R>,
  use: TopicUse,
): Stream<StreamRecord<never, never>> {
  const written = sink(source, { name: 'through', topics: [use], pick: undefined });
  const read = new Stream<StreamRecord<never, never>>({
    kind: 'source',
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
        deliver: (record) => subscriber.next(record as StreamRecord<never, never>),
        complete: () => subscriber.complete(),
      });
    },
  });
  return new Stream<StreamRecord<never, never>>({
    kind: 'through',
    name: 'through',
    detail: use.name,
    roots: [written],
    discover: () => subscribeSilently(read),
    attach: (subscriber) => void read.subscribe(subscriber),
  });
}
