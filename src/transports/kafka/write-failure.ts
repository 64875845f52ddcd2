import { MillraceError } from '../../errors.ts';
import { bareMessage } from '../../log/record-failures.ts';
import type { QueuedBatch } from './partition-line.ts';

/** The failure of a write, which says whether it may be in the log. */
export function writeFailure(
  error: MillraceError,
  { topic, partition, uncertain }: Pick<QueuedBatch, 'topic' | 'partition' | 'uncertain'>,
): MillraceError {
  const written = uncertain ? 'unknown' : 'no';
  if (error.written === written) return error;
  const message = `${bareMessage(error)}${uncertain ? '; it may have been written' : ''}`;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new MillraceError(error.errorClass, error.code, message, { topic, partition, ...hint, cause: error, written });
}

/**
 * Why nothing more is written when a batch was given up: a transaction is committed with all of its batches or not at all, and of
 * other work what comes behind is done again. `undefined` where it goes on.
 */
export function endOfWriting(
  cause: MillraceError,
  options: { readonly transactionalId?: string; readonly endsWithFailure?: boolean },
): MillraceError | undefined {
  if (options.transactionalId !== undefined) {
    return new MillraceError('abortable', 'ERR_ABORTED', 'Another write of the transaction has failed', {
      hint: 'continue from the committed offsets',
      written: 'no',
      cause,
    });
  }
  if (options.endsWithFailure !== true) return undefined;
  const hint = cause.hint === undefined ? {} : { hint: cause.hint };
  const message = `Not written, because a write before it has failed: ${bareMessage(cause)}`;
  return new MillraceError(cause.errorClass, cause.code, message, { ...hint, written: 'no', cause });
}
