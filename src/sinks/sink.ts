import type { Observable } from 'rxjs';
import type { TopicUse } from '../dataflow/node.ts';
import { node } from '../dataflow/operator.ts';
import type { Stream } from '../dataflow/stream.ts';
import type { Output, TaskContext } from '../dataflow/task-context.ts';
import { RecordError } from '../errors.ts';
import { encode, partitionOf } from '../log/encode.ts';
import { settled, settledNumber } from '../options/promises.ts';
import { MAX_HEADERS, tooManyHeaders } from '../protocol/header-limit.ts';
import type { Headers, Window } from '../record.ts';

const WINDOW_START = 'millrace.window.start';
const WINDOW_END = 'millrace.window.end';

/** The fields of a record that a sink needs. */
export interface Writable {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly window?: Window;
}

export interface SinkSpec<R> {
  readonly name: 'to' | 'through';
  /** Every topic that the sink may write to. */
  readonly topics: readonly TopicUse[];
  /** Chooses one of the topics; undefined if there is only one. */
  readonly pick: ((record: R) => TopicUse) | undefined;
  readonly dropNullKeys?: boolean;
  readonly headers?: (record: R) => Headers;
  readonly timestamp?: (record: R) => number;
  /** Whether the window of a record is written to its headers. */
  readonly window?: 'headers';
}

/** Writes each record to a topic and passes it on. The write is acknowledged before the input's offset is committed. */
export function sink<R extends Writable>(source: Observable<R>, spec: SinkSpec<R>): Stream<R> {
  return node<R, R>([source], {
    kind: 'sink',
    keepsTime: true,
    name: spec.name,
    detail: spec.topics.map((topic) => topic.name).join(', '),
    topics: spec.topics,
    create(step) {
      const { out, task } = step;
      const writers = new Map(spec.topics.map((topic) => [topic.name, new TopicWriter(topic, task.output(topic))]));
      const only = spec.pick === undefined ? writers.get((spec.topics[0] as TopicUse).name) : undefined;
      return (record) => {
        if (spec.dropNullKeys === true && record.key === null && only?.acceptsNullKeys === false) {
          step.drop('null key');
          return;
        }
        const writer = only ?? pickWriter(writers, spec, record);
        const own = spec.headers === undefined ? record.headers : settled(spec.headers(record));
        const headers = spec.window === undefined ? own : withBounds(own, record.window);
        const timestamp = spec.timestamp === undefined ? record.timestamp : settledNumber(spec.timestamp(record));
        if (timestamp < 0) throw negativeTimestamp(timestamp);
        if (headers.length > MAX_HEADERS) throw tooManyHeaders(headers.length);
        writer.write(record, timestamp, headers, task);
        step.meter.written += 1;
        out.next(record);
      };
    },
  });
}

const TEXT = new TextEncoder();

/** Replaces bounds that the record arrived with: they belong to another window. */
function withBounds(headers: Headers, window: Window | undefined): Headers {
  if (window === undefined) return headers;
  return [
    ...headers.filter(([name]) => name !== WINDOW_START && name !== WINDOW_END),
    [WINDOW_START, TEXT.encode(String(window.start))],
    [WINDOW_END, TEXT.encode(String(window.end))],
  ];
}

function negativeTimestamp(timestamp: number): RecordError {
  return new RecordError('ERR_TIMESTAMP', `a record is written with the timestamp ${timestamp}`, {
    hint: 'a timestamp is a whole number of milliseconds since 1970, 0 or more',
  });
}

function pickWriter<R>(writers: ReadonlyMap<string, TopicWriter>, spec: SinkSpec<R>, record: R): TopicWriter {
  const picked = (spec.pick as (record: R) => TopicUse)(record);
  const writer = writers.get(picked?.name);
  if (writer !== undefined) return writer;
  throw new RecordError('ERR_UNDECLARED_TOPIC', `to(…) picked the topic ${picked?.name}, which it does not declare`, {
    hint: 'list every topic that the function may return: to(pick, { topics: [a, b] })',
  });
}

/** Encodes the records of one topic and chooses their partitions as Kafka's clients do. */
class TopicWriter {
  readonly acceptsNullKeys: boolean;
  readonly #topic: TopicUse;
  readonly #output: Output;

  constructor(topic: TopicUse, output: Output) {
    this.#topic = topic;
    this.#output = output;
    this.acceptsNullKeys = topic.key === undefined || topic.key.nullable === true;
  }

  write(record: Writable, timestamp: number, headers: Headers, task: TaskContext): void {
    const { key: keySerde, name, value: valueSerde } = this.#topic;
    const key = keySerde === undefined ? null : encode(keySerde, record.key, name, 'key');
    const value = encode(valueSerde, record.value, name, 'value');
    this.#output.append(partitionOf(key, this.#output.partitions), timestamp, key, value, headers);
    task.counters.recordsOut += 1;
  }
}
