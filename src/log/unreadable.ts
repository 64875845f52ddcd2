import type { InputOrigin } from '../dataflow/task-context.ts';
import type { MillraceError } from '../errors.ts';
import { bytesOf, isUnreadable } from '../protocol/corrupt.ts';
import { NO_HEADERS } from '../record.ts';

/** A batch that cannot be read, and what is known of it. */
export interface UnreadableRange {
  readonly error: MillraceError;
  /** Where reading can go on. */
  readonly nextOffset: number;
  /** Offsets that are passed over then. */
  readonly records: number;
  /** The batch as it was read, as if it were one record. */
  readonly origin: InputOrigin;
}

/**
 * What a failed poll says about a batch that cannot be read: its checksum, its codec, its length, or what it unpacks to is
 * wrong. `undefined` for other failures, and where nobody knows how far the damage reaches.
 */
export function unreadableRange(
  error: unknown,
  topic: string,
  partition: number,
  position: number,
): UnreadableRange | undefined {
  if (!isUnreadable(error)) return undefined;
  const { lastOffset, offset } = error;
  if (offset === undefined || lastOffset === undefined || lastOffset < position) return undefined;
  const origin: InputOrigin = {
    topic,
    partition,
    offset,
    lastOffset,
    timestamp: -1,
    key: null,
    value: bytesOf(error)?.slice() ?? null,
    headers: NO_HEADERS,
  };
  return { error, nextOffset: lastOffset + 1, records: lastOffset + 1 - Math.max(position, offset), origin };
}
