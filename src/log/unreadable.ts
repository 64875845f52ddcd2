import type { InputOrigin } from '../dataflow/task-context.ts';
import type { MillraceError } from '../errors.ts';
import { bytesOf, isUnreadable } from '../protocol/corrupt.ts';
import { NO_HEADERS } from '../record.ts';

/** What is known about an unreadable batch. */
export interface UnreadableRange {
  readonly error: MillraceError;
  /** Where reading can continue. */
  readonly nextOffset: number;
  /** How many offsets are skipped. */
  readonly records: number;
  /** The raw batch, as if it were one record. */
  readonly origin: InputOrigin;
}

/**
 * Extracts the unreadable batch from the error of a failed poll: its checksum, codec, length or content is wrong.
 * `undefined` for other failures, and if the extent of the damage is unknown.
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
