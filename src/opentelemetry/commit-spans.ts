import {
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
import type { CommitEvent } from '../runtime/app/channels.ts';
import type { TracedRecord } from '../runtime/task/traced-records.ts';
import type { AppAttributes } from './instruments.ts';

/** Links of a span: as many as an SDK keeps, unless its limits are changed. */
const MOST_LINKS = 128;

/** Creates a span for processing the records of a commit, with a child span for the commit itself. */
export function spansOf(tracer: Tracer, event: CommitEvent, of: AppAttributes): void {
  const { committingAt, durationMs, error, records, startedAt, topics, traced } = event;
  // Nothing was read: the commit only has the effects of time.
  if (topics.length === 0 && error === undefined) return;
  // There is no common name for several topics.
  const destination = topics.length === 1 ? { 'messaging.destination.name': topics[0] as string } : {};
  const name = topics.length === 1 ? ` ${topics[0]}` : '';
  const ended = committingAt + durationMs;
  const process = tracer.startSpan(
    `process${name}`,
    {
      kind: SpanKind.CONSUMER,
      startTime: startedAt,
      links: someOf(traced).flatMap(linkTo),
      attributes: {
        ...of,
        ...destination,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.batch.message_count': records,
      },
    },
    ROOT_CONTEXT,
  );
  const commit = tracer.startSpan(
    `commit${name}`,
    {
      kind: SpanKind.CLIENT,
      startTime: committingAt,
      attributes: { ...of, ...destination, 'messaging.operation.name': 'commit', 'messaging.operation.type': 'settle' },
    },
    trace.setSpan(contexts.active(), process),
  );
  for (const span of [commit, process]) {
    if (error !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : 'it has failed' });
      span.setAttribute('error.type', errorType(error));
    }
    span.end(ended);
  }
}

/** At most as many as become links, spread evenly: an SDK would drop the oldest. */
function someOf(traced: readonly TracedRecord[]): readonly TracedRecord[] {
  const step = Math.ceil(traced.length / MOST_LINKS);
  return step <= 1 ? traced : traced.filter((_, at) => at % step === 0);
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
