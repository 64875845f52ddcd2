import { RecordError } from '../errors.ts';
import type { Header, Headers } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/**
 * Header with the row that a group loses through a record; the row that it gains is the value. One record can have
 * both.
 */
const REMOVED = 'millrace.removed';

/** The headers of a record, with the row that its group loses added. */
export function withRemoved<V>(headers: Headers, removed: V | null, serde: Serde<V>): Headers {
  const own = headers.filter(([name]) => name !== REMOVED);
  if (removed === null) return own.length === headers.length ? headers : own;
  return [...own, [REMOVED, serde.serialize(removed as NonNullable<V>)]];
}

/** The row that the group of a record loses, or null for none. */
export function removedBy<V>(headers: Headers, serde: Serde<V>): V | null {
  for (let at = headers.length - 1; at >= 0; at -= 1) {
    const [name, bytes] = headers[at] as Header;
    if (name === REMOVED && bytes !== null) return read(bytes, serde);
  }
  return null;
}

export function withoutRemoved(headers: Headers): Headers {
  return headers.some(([name]) => name === REMOVED) ? headers.filter(([name]) => name !== REMOVED) : headers;
}

function read<V>(bytes: Uint8Array, serde: Serde<V>): V {
  try {
    return serde.deserialize(bytes);
  } catch (cause) {
    if (cause instanceof RecordError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecordError('ERR_DECODE', `the row to remove from a group cannot be read: ${reason}`, {
      cause,
      hint: 'only regroup writes the topic of the groups: read it with the serdes it was written with',
    });
  }
}
