import type { Headers } from '../record.ts';

/**
 * Records of one partition as columns over one buffer, as transports deliver and tasks read them. With columns instead
 * of objects, a record that is skipped, counted or only compared by time costs no allocation.
 *
 * Index `i` runs from 0 to `count − 1`. A length of −1 means null.
 */
export interface RecordColumns {
  readonly count: number;
  /** Offset of record i is `baseOffset + offsetDelta[i]`. */
  readonly baseOffset: number;
  /** The offset after this batch, where reading continues, even if `count` is 0. */
  readonly nextOffset: number;
  /** The bytes that the ranges below refer to. They do not change while the columns are in use. */
  readonly bytes: Uint8Array;
  readonly offsetDelta: Int32Array;
  readonly timestamp: Float64Array;
  readonly keyStart: Int32Array;
  readonly keyLength: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueLength: Int32Array;
  /** Whether any record may have headers; not known when left out. */
  readonly mayHaveHeaders?: boolean;
  /**
   * Index of the first record from `from` on that has a header of this name, `count` if there is none. Decodes nothing.
   * Left out where only {@link headers} can tell.
   */
  nextWithHeader?(name: Uint8Array, from: number): number;
  /** Decodes the headers of record i; returns the shared empty array if it has none. */
  headers(i: number): Headers;
}
