import type { Header, PublishRecord } from '../index.ts';
import { type RawRecord, textOf } from './envelope.ts';

/** What a dead letter says of the record that it stands for. */
export interface Letter {
  readonly code: string;
  readonly message: string;
  readonly application: string | undefined;
  readonly step: string | undefined;
  /** Where the record was; `undefined` for a row of a window, which was in no topic. */
  readonly origin:
    | { readonly topic: string; readonly partition: number; readonly offset: number; readonly timestamp: number }
    | undefined;
  /** It holds only the head of the record. */
  readonly cut: boolean;
  /** Headers of the record itself. */
  readonly headers: readonly Header[];
}

const PREFIX = 'millrace.';

/** Reads a record of a dead-letter topic; `undefined` for one that is no dead letter. */
export function letterOf({ headers }: Pick<RawRecord, 'headers'>): Letter | undefined {
  // Those that say why and whence come behind those of the record, which may be a letter itself.
  const start = headers.findLastIndex(([name]) => name === 'millrace.error.code');
  if (start === -1) return undefined;
  const own = beginning(headers, start);
  const said = new Map(headers.slice(own).map(([name, bytes]) => [name, bytes === null ? undefined : textOf(bytes)]));
  const get = (name: string): string | undefined => said.get(PREFIX + name);
  const topic = get('origin.topic');
  return {
    code: get('error.code') ?? '',
    message: get('error.message') ?? '',
    application: get('application'),
    step: get('step'),
    origin:
      topic === undefined
        ? undefined
        : {
            topic,
            partition: Number(get('origin.partition')),
            offset: Number(get('origin.offset')),
            timestamp: Number(get('origin.timestamp')),
          },
    cut: said.has('millrace.origin.value.size') || said.has('millrace.origin.key.size'),
    headers: headers.slice(0, own),
  };
}

/** Where what Millrace added begins: also before the error, where a letter was cut or had no key. */
function beginning(headers: RawRecord['headers'], error: number): number {
  let at = error;
  while (at > 0 && /^millrace\.(?:origin|row)\./.test(headers[at - 1]?.[0] ?? '')) at -= 1;
  return at;
}

/** The record that a letter stands for, as it was. */
export function originalOf(
  record: RawRecord,
  { headers, origin }: Letter,
): PublishRecord<Uint8Array | null, Uint8Array | null> {
  return {
    key: record.key,
    value: record.value,
    headers,
    ...(origin === undefined || !Number.isFinite(origin.timestamp) ? {} : { timestamp: origin.timestamp }),
  };
}
