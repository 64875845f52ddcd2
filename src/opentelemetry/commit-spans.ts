import {
  type Attributes,
  context as contexts,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { TracedRecord } from '../runtime/task/traced-records.ts';
import type { GatheredCommit } from './gathered-commits.ts';
import type { AppAttributes } from './instruments.ts';

/** What the spans of all commits that read the same topics have in common. */
interface Common {
  readonly of: AppAttributes;
  readonly topic: string | undefined;
  readonly processName: string;
  readonly commitName: string;
  readonly process: Attributes;
  readonly commit: Attributes;
}

/** Creates a span for processing the records of commits, with a child span for the commit itself, or the last of them. */
export class CommitSpans {
  readonly #tracer: Tracer;
  readonly #of: () => AppAttributes;
  #common: Common | undefined;

  constructor(tracer: Tracer, of: () => AppAttributes) {
    this.#tracer = tracer;
    this.#of = of;
  }

  add({ commits, committingAt, durationMs, error, records, startedAt, topics, traced }: GatheredCommit): void {
    const common = this.#commonOf(topics);
    const ended = committingAt + durationMs;
    const process = this.#tracer.startSpan(
      common.processName,
      {
        kind: SpanKind.CONSUMER,
        startTime: startedAt,
        ...(traced.length === 0 ? {} : { links: traced.flatMap(linkTo) }),
        attributes: { ...common.process, 'messaging.batch.message_count': records, 'millrace.commits': commits },
      },
      ROOT_CONTEXT,
    );
    const commit = this.#tracer.startSpan(
      common.commitName,
      { kind: SpanKind.CLIENT, startTime: committingAt, attributes: common.commit },
      trace.setSpan(contexts.active(), process),
    );
    for (const span of [commit, process]) {
      if (error !== undefined) {
        const message = error instanceof Error ? error.message : 'it has failed';
        span.setStatus({ code: SpanStatusCode.ERROR, message });
        span.setAttribute('error.type', errorType(error));
      }
      span.end(ended);
    }
  }

  /** There is no common name for several topics. */
  #commonOf(topics: readonly string[]): Common {
    const of = this.#of();
    const topic = topics.length === 1 ? topics[0] : undefined;
    const known = this.#common;
    if (known !== undefined && known.of === of && known.topic === topic) return known;
    const [name, destination] = topic === undefined ? ['', {}] : [` ${topic}`, { 'messaging.destination.name': topic }];
    const operation = (called: string, type: string): Attributes => {
      return { ...of, ...destination, 'messaging.operation.name': called, 'messaging.operation.type': type };
    };
    this.#common = {
      of,
      topic,
      processName: `process${name}`,
      commitName: `commit${name}`,
      process: operation('process', 'process'),
      commit: operation('commit', 'settle'),
    };
    return this.#common;
  }
}

/** A link to the span in which a record was written, taken from its header. */
function linkTo({ offset, partition, topic, traceparent }: TracedRecord): readonly Link[] {
  const [, traceId, spanId, flags] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return [];
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  if (!isSpanContextValid(context)) return [];
  return [
    {
      context,
      attributes: {
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': offset,
      },
    },
  ];
}

/** The attribute `error.type`: the code of an error, or its name. */
export const errorType = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : '_OTHER';
};
