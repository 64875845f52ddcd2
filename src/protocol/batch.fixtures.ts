import * as fc from 'fast-check';
import type { Header } from '../record.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import * as at from './batch-format.ts';
import type { RecordColumns } from './columns.ts';
import { crc32c } from './crc32c.ts';

/** A record as plain values, for comparing. */
export interface PlainRecord {
  readonly timestamp: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers: readonly Header[];
}

const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 100, maxLength: 300 }),
);
const text: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ unit: 'grapheme', minLength: 40, maxLength: 120 }),
);
const field: fc.Arbitrary<Uint8Array | string | null> = fc.oneof(bytes, text, fc.constant(null));
const timestamp: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
);
const header: fc.Arbitrary<Header> = fc.tuple(
  fc.oneof(fc.constantFrom('', 'trace', 'ключ', '\uFEFFmark'), fc.string({ unit: 'grapheme', maxLength: 10 })),
  fc.oneof(fc.uint8Array({ maxLength: 10 }), fc.constant(null)),
);

/** Any record that may be appended. */
export const anyRecord: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp,
  key: field,
  value: field,
  headers: fc.oneof(fc.constant([]), fc.array(header, { maxLength: 4 })),
});

/** Some records, as long as a batch needs. */
export const anyRecords: fc.Arbitrary<PlainRecord[]> = fc.array(anyRecord, { minLength: 1, maxLength: 12 });

/** A builder with these records in it. */
export function builderOf(records: readonly PlainRecord[]): RecordBatchBuilder {
  const builder = new RecordBatchBuilder(64);
  for (const { timestamp: time, key, value, headers } of records) builder.append(time, key, value, headers);
  return builder;
}

/** Records as columns say them, with all fields as bytes. */
export function rowsOf(columns: RecordColumns): object[] {
  return Array.from({ length: columns.count }, (_, i) => ({
    offset: columns.baseOffset + columns.offsetDelta[i]!,
    timestamp: columns.timestamp[i],
    key: range(columns.bytes, columns.keyStart[i]!, columns.keyLength[i]!),
    value: range(columns.bytes, columns.valueStart[i]!, columns.valueLength[i]!),
    headers: columns.headers(i),
  }));
}

/** Records as {@link rowsOf} is expected to give them. */
export function expectedRows(records: readonly PlainRecord[], baseOffset: number): object[] {
  return records.map(({ timestamp: time, key, value, headers }, i) => ({
    offset: baseOffset + i,
    timestamp: time,
    key: asBytes(key),
    value: asBytes(value),
    headers: headers.map(([name, bytesOf]) => [wellFormed(name), bytesOf]),
  }));
}

export function asBytes(value: Uint8Array | string | null): Uint8Array | null {
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

/** Recomputes the checksum, so that a changed batch is read on. */
export function resealed(batch: Uint8Array): Uint8Array {
  if (batch.length >= at.HEADER_BYTES) {
    new DataView(batch.buffer, batch.byteOffset).setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES));
  }
  return batch;
}

/** A lone surrogate has no UTF-8 form and becomes U+FFFD. */
function wellFormed(value: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(value));
}

function range(all: Uint8Array, start: number, length: number): Uint8Array | null {
  return length < 0 ? null : all.slice(start, start + length);
}
