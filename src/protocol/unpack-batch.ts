import { MillraceError } from '../errors.ts';
import * as at from './batch-format.ts';
import { type BatchHeader, type BatchPlace, errorDetails } from './batch-header.ts';
import { decompress } from './compression.ts';
import { batchTooLarge, corruptBatch, Malformed, OutputTooLarge } from './corrupt.ts';
import { crc32c } from './crc32c.ts';
import { plainBytes } from './record-table.ts';

export interface DecodeOptions extends BatchPlace {
  /** Whether to compare the checksum (true). */
  readonly checkCrc?: boolean;
  /** The most that the records may take after decompression, in bytes (64 MiB). */
  readonly maxOutputBytes?: number;
}

/** The records of a batch in the clear, not parsed yet. */
export interface UnpackedBatch {
  readonly header: BatchHeader;
  /** What holds the records in `[from, to)`: bytes of their own if they were compressed. */
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Runs what reads the records; its errors get the place of the batch. */
  readonly guard: <T>(read: () => T) => T;
}

const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Checks a whole batch, and decompresses its records. @throws as `decodeBatch` */
export function unpackBatch(
  input: Uint8Array,
  start: number,
  header: BatchHeader,
  options: DecodeOptions,
): UnpackedBatch {
  const bytes = plainBytes(input);
  const end = start + header.byteLength;
  const details = () => errorDetails(options, header.baseOffset, header.nextOffset - 1);
  if (options.checkCrc !== false) {
    const crc = crc32c(bytes, start + at.ATTRIBUTES, end);
    if (crc !== header.crc) {
      throw corruptBatch(`its checksum is ${hex(crc)} and should be ${hex(header.crc)}`, details());
    }
  }
  const guard = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof OutputTooLarge) throw batchTooLarge(error, details());
      if (error instanceof Malformed) throw corruptBatch(error.message, details());
      if (error instanceof MillraceError) throw error;
      throw corruptBatch(`it cannot be decompressed as ${header.compression}`, { ...details(), cause: error });
    }
  };
  const maxOutputBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const from = start + at.HEADER_BYTES;
  if (header.compression === 'none') {
    if (end - from > maxOutputBytes) throw batchTooLarge(new OutputTooLarge(maxOutputBytes), details());
    return { header, bytes, from, to: end, guard };
  }
  // An emptied batch: whatever frame its codec writes for nothing is of no interest.
  if (header.count === 0) return { header, bytes, from, to: from, guard };
  const records = guard(() => plainBytes(decompress(header.compression, bytes.subarray(from, end), maxOutputBytes)));
  return { header, bytes: records, from: 0, to: records.length, guard };
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
