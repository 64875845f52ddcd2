import type { RecordError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import type { Window } from '../record.ts';
import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';

/** A key together with a window, used as the key of a record. @public */
export interface WindowedKey<K> extends Window {
  readonly key: K;
}

/** @public */
export interface WindowedKeyOptions {
  /**
   * Writes only the start of the window, as Kafka Streams does for windows of a fixed size: the end is this much later.
   * Without it both bounds are written, as Kafka Streams does for sessions.
   */
  readonly size?: Duration;
}

const BOUND_BYTES = 8;
const HIGH = 2 ** 32;
/** The value that Kafka Streams writes for a window that never ends. */
const FOR_EVER: readonly [high: number, low: number] = [0x7fffffff, 0xffffffff];

/**
 * Keys with their window, for topics that other programs read: the bytes of the key, then the bounds of the window as
 * 8-byte big-endian integers. Kafka Streams reads them with `WindowedSerdes`: as session windows (end, then start), or
 * with `size` as time windows (only the start).
 *
 * All bytes of such a key determine its partition. Kafka Streams, in contrast, partitions windowed rows by the key
 * alone.
 *
 * @param key - The serde of the key.
 * @param options - `size` for windows of a fixed size.
 * @returns A serde of `{ key, start, end }`, in ms since the epoch; `end` is `Infinity` for a window that never ends.
 * Writing fails with `ERR_ENCODE` for bounds that are not whole numbers, 0 or more, and for a window of another size.
 * @throws ConfigError `ERR_DURATION`
 *
 * @example
 * ```ts
 * import { agg, int32, json, keyBy, string, to, topic, tumbling, windowBy, windowedKey } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: string() });
 * const perMinute = topic('per-minute', { key: windowedKey(string(), { size: '1m' }), value: int32() });
 * const minute = tumbling({ size: '1m', grace: '0s' });
 * const driver = new TestDriver(
 *   clicks.pipe(
 *     windowBy(minute, agg.count(), { store: 'counts', emit: 'updates' }),
 *     keyBy((_count, { key, window }) => ({ key, ...window })),
 *     to(perMinute),
 *   ),
 * );
 * driver.pipe(clicks, { key: 'ada', value: '/', timestamp: 61_000 });
 * console.log(JSON.stringify(driver.read(perMinute)[0]?.key));
 * // => {"key":"ada","start":60000,"end":120000}
 * ```
 * @public
 */
export function windowedKey<K>(key: Serde<K>, { size }: WindowedKeyOptions = {}): Serde<WindowedKey<K>> {
  const sizeMs = size === undefined ? undefined : durationMs(size, 'size');
  const name = `windowed ${key.name}`;
  const suffix = sizeMs === undefined ? 2 * BOUND_BYTES : BOUND_BYTES;
  return {
    name,
    serialize(value) {
      if (typeof value !== 'object') throw encodeError(name, typeName(value), 'give { key, start, end }');
      const { end, key: inner, start } = value;
      if (inner === null || inner === undefined) throw encodeError(name, 'a window without a key');
      if (sizeMs !== undefined && end - start !== sizeMs) {
        throw encodeError(name, `a window of ${end - start} ms`, `its windows are ${sizeMs} ms long`);
      }
      const bytes = key.serialize(inner);
      const written = new Uint8Array(bytes.length + suffix);
      written.set(bytes);
      const view = new DataView(written.buffer);
      let at = bytes.length;
      if (sizeMs === undefined) {
        writeBound(view, at, end, name);
        at += BOUND_BYTES;
      }
      writeBound(view, at, start, name);
      return written;
    },
    deserialize(bytes) {
      const at = bytes.length - suffix;
      if (at < 0) throw decodeError(name, `a key without ${suffix} bytes of bounds`, bytes, 0, bytes.length);
      const inner = key.deserialize(bytes.subarray(0, at)) as K;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const start = readBound(view, bytes.length - BOUND_BYTES);
      const end = sizeMs === undefined ? readBound(view, at) : start + sizeMs;
      if (!Number.isSafeInteger(start) || !(Number.isSafeInteger(end) || end === Number.POSITIVE_INFINITY)) {
        throw decodeError(name, 'bounds that are not times', bytes, at, bytes.length);
      }
      return { key: inner, start, end };
    },
  };
}

function writeBound(view: DataView, at: number, ms: number, name: string): void {
  if (ms === Number.POSITIVE_INFINITY) {
    view.setUint32(at, FOR_EVER[0]);
    view.setUint32(at + 4, FOR_EVER[1]);
    return;
  }
  if (!Number.isSafeInteger(ms) || ms < 0) throw notATime(name, ms);
  view.setUint32(at, Math.floor(ms / HIGH));
  view.setUint32(at + 4, ms % HIGH);
}

function notATime(name: string, ms: number): RecordError {
  return encodeError(name, `the bound ${ms}`, 'bounds are whole milliseconds since the epoch, 0 or more');
}

function readBound(view: DataView, at: number): number {
  const high = view.getUint32(at);
  const low = view.getUint32(at + 4);
  return high === FOR_EVER[0] && low === FOR_EVER[1] ? Number.POSITIVE_INFINITY : high * HIGH + low;
}
