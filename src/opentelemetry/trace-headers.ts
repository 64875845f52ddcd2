import {
  type Context,
  context as contexts,
  propagation,
  type TextMapGetter,
  type TextMapSetter,
} from '@opentelemetry/api';
import type { Headers } from '../record.ts';

const READ = new TextDecoder();
const WRITE = new TextEncoder();

type Entry = readonly [name: string, value: Uint8Array | null];

const SETTER: TextMapSetter<Entry[]> = {
  set: (headers, name, value) => {
    headers.push([name, WRITE.encode(value)]);
  },
};

const GETTER: TextMapGetter<Headers> = {
  keys: (headers) => headers.map(([name]) => name),
  get: (headers, name) => {
    // If a header occurs several times the last one counts, as in Kafka's own clients.
    const value = headers.findLast(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
    return value === undefined || value === null ? undefined : READ.decode(value);
  },
};

/**
 * Headers for a record to publish, with the active trace: `traceparent` and `tracestate` (W3C), or whatever the
 * propagator of the process writes.
 *
 * @param headers - Other headers of the record; those of another trace are removed.
 * @param context - The context (default: the active one).
 *
 * @example
 * ```ts
 * import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
 * import { W3CTraceContextPropagator } from '@opentelemetry/core';
 * import { traceHeaders } from 'millrace/opentelemetry';
 *
 * propagation.setGlobalPropagator(new W3CTraceContextPropagator());
 * const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
 * const headers = traceHeaders([], trace.setSpanContext(ROOT_CONTEXT, span));
 * console.log(headers.map(([name, value]) => `${name}: ${new TextDecoder().decode(value ?? undefined)}`).join());
 * // => traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 * ```
 * @public
 */
export function traceHeaders(headers: Headers = [], context: Context = contexts.active()): Headers {
  const fields = new Set(propagation.fields());
  const own: Entry[] = headers
    .filter(([name]) => !fields.has(name.toLowerCase()))
    .map(([name, value]) => [name, value]);
  propagation.inject(context, own, SETTER);
  return own;
}

/**
 * The trace that a record belongs to according to its headers, as a parent of spans or a target for links.
 *
 * @param record - A record with the headers that it was read with.
 * @param context - The context to add the trace to (default: the active one).
 *
 * @example
 * ```ts
 * import { propagation, trace } from '@opentelemetry/api';
 * import { W3CTraceContextPropagator } from '@opentelemetry/core';
 * import { traceContext } from 'millrace/opentelemetry';
 *
 * propagation.setGlobalPropagator(new W3CTraceContextPropagator());
 * const value = new TextEncoder().encode('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
 * const found = traceContext({ headers: [['traceparent', value]] });
 * console.log(trace.getSpanContext(found)?.traceId); // => 0af7651916cd43dd8448eb211c80319c
 * ```
 * @public
 */
export function traceContext(record: { readonly headers: Headers }, context: Context = contexts.active()): Context {
  return propagation.extract(context, record.headers, GETTER);
}
