import { type ErrorDetails, StoreError } from '../errors.ts';

/** Bytes that are not what they claim to be. Never leaves this folder: it becomes `ERR_CORRUPT_BATCH` with its place. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** Output larger than the caller allows. Never leaves this folder: it becomes `ERR_BATCH_TOO_LARGE` with its place. */
export class OutputTooLarge extends Error {
  override readonly name = 'OutputTooLarge';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes after decompression`);
    this.maxBytes = maxBytes;
  }
}

/**
 * The raw bytes of unreadable batches, for dead letters. They are kept apart from the errors, so that no message shows
 * them.
 */
const BYTES = new WeakMap<StoreError, Uint8Array>();

/** Whether an error is about an unreadable batch. */
export function isUnreadable(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'ERR_CORRUPT_BATCH' || error.code === 'ERR_BATCH_TOO_LARGE');
}

export function keepBytes(error: StoreError, bytes: Uint8Array): void {
  BYTES.set(error, bytes);
}

export function bytesOf(error: StoreError): Uint8Array | undefined {
  return BYTES.get(error);
}

/** The error for an unreadable batch. */
export function corruptBatch(reason: string, details: ErrorDetails): StoreError {
  return new StoreError('ERR_CORRUPT_BATCH', `Record batch is damaged: ${reason}`, {
    hint: 'no record of this batch can be trusted; restore it from a copy, or skip the offset range deliberately with onRecordError',
    ...details,
  });
}

/** The error for a batch that unpacks to more than allowed. */
export function batchTooLarge(error: OutputTooLarge, details: ErrorDetails): StoreError {
  return new StoreError('ERR_BATCH_TOO_LARGE', `Record batch is too large: ${error.message}`, {
    hint: 'if you trust the producer, raise the limit (on Kafka maxUnpackedBytes); otherwise skip the offset range deliberately with onRecordError',
    ...details,
  });
}

/** The same error with the offsets that its reader knows. */
export function placed(error: StoreError, offset: number, lastOffset: number): StoreError {
  const { cause, code, hint, lastOffset: last, offset: first, partition, topic } = error;
  if (first === offset && last === lastOffset) return error;
  // The message without the place and the hint that its constructor appended.
  const message = error.message.split(/ \[| – /)[0] as string;
  const made = new StoreError(code, message, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
    ...(topic === undefined ? {} : { topic }),
    ...(partition === undefined ? {} : { partition }),
    offset,
    lastOffset,
  });
  const bytes = bytesOf(error);
  if (bytes !== undefined) keepBytes(made, bytes);
  return made;
}
