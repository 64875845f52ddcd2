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

/** The error for a batch that cannot be read. */
export function corruptBatch(reason: string, details: ErrorDetails): StoreError {
  return new StoreError('ERR_CORRUPT_BATCH', `Record batch is damaged: ${reason}`, {
    hint: 'nothing of this batch can be trusted; restore it from a copy, or skip the offset range on purpose',
    ...details,
  });
}

/** The error for a batch that unpacks to more than allowed. */
export function batchTooLarge(error: OutputTooLarge, details: ErrorDetails): StoreError {
  return new StoreError('ERR_BATCH_TOO_LARGE', `Record batch is too large: ${error.message}`, {
    hint: 'raise the limit (on Kafka maxUnpackedBytes) if the producer is to be trusted, or skip the offset range on purpose',
    ...details,
  });
}
