import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { StoreError } from '../errors.ts';
import { anyRecords, builderOf, resealed, rowsOf } from './batch.fixtures.ts';
import { decodeBatch, decodeBatches } from './batch-decoder.ts';
import * as at from './batch-format.ts';
import { sealBatch } from './batch-seal.ts';
import { type Compression, compress, ensureCodec } from './compression.ts';
import { compressionId } from './compression-id.ts';

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const MAX_OUTPUT = 1024 * 1024;
beforeAll(() => Promise.all(COMPRESSIONS.map(ensureCodec)));

/** One act of damage. Positions are fractions of the length, so that they fit any batch. */
type Damage = (bytes: Uint8Array) => Uint8Array;
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  place.map(
    (p): Damage =>
      (bytes) =>
        bytes.slice(0, Math.floor(p * bytes.length)),
  ),
  fc.tuple(place, fc.nat(7)).map(
    ([p, bit]): Damage =>
      (bytes) =>
        edit(bytes, p, (b) => b ^ (1 << bit)),
  ),
  fc.tuple(place, fc.nat(255)).map(
    ([p, value]): Damage =>
      (bytes) =>
        edit(bytes, p, () => value),
  ),
  fc.tuple(place, fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff)).map(
    ([p, value]): Damage =>
      (bytes) =>
        edit(bytes, p, () => value),
  ),
  fc.tuple(place, place, place).map(
    ([from, to, target]): Damage =>
      (bytes) => {
        const copy = bytes.slice();
        copy.copyWithin(
          Math.floor(target * bytes.length),
          Math.floor(from * bytes.length),
          Math.floor(to * bytes.length),
        );
        return copy;
      },
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 12 })).map(
    ([p, extra]): Damage =>
      (bytes) => {
        const cut = Math.floor(p * bytes.length);
        return new Uint8Array(Buffer.concat([bytes.subarray(0, cut), extra, bytes.subarray(cut)]));
      },
  ),
  fc
    .tuple(
      fc.constantFrom(at.BATCH_LENGTH, at.LAST_OFFSET_DELTA, at.RECORD_COUNT, at.BASE_TIMESTAMP, at.ATTRIBUTES),
      fc.integer(),
    )
    .map(
      ([field, value]): Damage =>
        (bytes) => {
          const copy = bytes.slice();
          if (copy.length >= at.HEADER_BYTES) new DataView(copy.buffer).setInt32(field, value);
          return copy;
        },
    ),
);
const damages = fc.array(damage, { minLength: 1, maxLength: 3 });

function edit(bytes: Uint8Array, p: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  const i = Math.floor(p * copy.length);
  if (i < copy.length) copy[i] = change(copy[i]!);
  return copy;
}

/** Decodes, and reads all there is; anything but a typed error fails. Says whether it was readable. */
function survives(bytes: Uint8Array, checkCrc: boolean): boolean {
  try {
    const decoded = decodeBatch(bytes, 0, { topic: 't', partition: 0, checkCrc, maxOutputBytes: MAX_OUTPUT });
    expect(decoded.nextOffset).toBeGreaterThan(decoded.baseOffset);
    expect(rowsOf(decoded).length).toBe(decoded.count);
    for (let i = 0; i < decoded.count; i++) {
      expect(decoded.keyStart[i]! + Math.max(0, decoded.keyLength[i]!)).toBeLessThanOrEqual(decoded.bytes.length);
      expect(decoded.valueStart[i]! + Math.max(0, decoded.valueLength[i]!)).toBeLessThanOrEqual(decoded.bytes.length);
    }
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    expect(['ERR_CORRUPT_BATCH', 'ERR_BATCH_TOO_LARGE']).toContain(error.code);
    expect(error.topic).toBe('t');
    return false;
  }
}

const apply = (bytes: Uint8Array, list: readonly Damage[]): Uint8Array => list.reduce((b, change) => change(b), bytes);

test('a damaged batch is a typed error, with the checksum as it is, ignored, or made right again', () => {
  fc.assert(
    fc.property(anyRecords, fc.constantFrom(...COMPRESSIONS), damages, (records, compression, list) => {
      const batch = builderOf(records).finish({ compression });
      const broken = apply(batch, list);
      const readable = survives(broken, true);
      if (readable) {
        // Only the first 17 bytes (offset, length, epoch, format) and what follows the batch are outside of the checksum.
        const decoded = decodeBatch(broken, 0);
        expect(Buffer.compare(broken.subarray(at.CRC, decoded.byteLength), batch.subarray(at.CRC))).toBe(0);
      }
      survives(broken, false);
      survives(resealed(broken.slice()), true);
      let batches = 0;
      try {
        for (const decoded of decodeBatches(broken, { topic: 't', checkCrc: false, maxOutputBytes: MAX_OUTPUT })) {
          batches += decoded.byteLength;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
      }
      expect(batches).toBeLessThanOrEqual(broken.length);
    }),
    { numRuns: 4000 },
  );
});

test('damaged records inside a sound frame are a typed error', () => {
  fc.assert(
    fc.property(
      anyRecords,
      fc.constantFrom(...COMPRESSIONS),
      damages,
      fc.boolean(),
      (records, compression, list, lie) => {
        const whole = builderOf(records).finish();
        const body = compress(compression, apply(whole.slice(at.HEADER_BYTES), list));
        const batch = new Uint8Array(at.HEADER_BYTES + body.length);
        batch.set(body, at.HEADER_BYTES);
        const count = lie ? records.length * 1000 : records.length;
        sealBatch(batch, {
          attributes: compressionId(compression),
          lastOffsetDelta: count - 1,
          baseTimestamp: 1000,
          maxTimestamp: 1000,
          producerId: -1n,
          producerEpoch: -1,
          baseSequence: -1,
          count,
        });
        survives(batch, true);
      },
    ),
    { numRuns: 3000 },
  );
});

test('any bytes at all are a typed error', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      fc.constantFrom(0, 1, 2, 3, 4),
      (bytes, dress, codec) => {
        if (dress && bytes.length >= at.HEADER_BYTES) {
          const view = new DataView(bytes.buffer);
          view.setInt32(at.BASE_OFFSET, 0);
          view.setInt32(at.BATCH_LENGTH, bytes.length - at.LENGTH_PREFIX_BYTES);
          view.setInt8(at.MAGIC, at.MAGIC_V2);
          view.setInt16(at.ATTRIBUTES, codec);
          view.setInt32(at.LAST_OFFSET_DELTA, 3);
          view.setInt32(at.BASE_TIMESTAMP, 0);
          view.setInt32(at.MAX_TIMESTAMP, 0);
          view.setInt32(at.RECORD_COUNT, 3);
          resealed(bytes);
        }
        survives(bytes, dress);
      },
    ),
    { numRuns: 4000 },
  );
});
