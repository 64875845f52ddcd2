import { StoreError } from '../errors.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { ValueCodec } from './value-codec.ts';

/** A row that was valid from its time until the time under which it is stored. `null`: the key had no row. */
export interface Version<V> {
  readonly from: number;
  readonly row: V | null;
}

const ROW = 1;
const NO_ROW = 0;
const HEAD_BYTES = NUMBER_BYTES + 1;

/**
 * Versions as `[until, 8 bytes][0][from, 8 bytes]`, or `[until][1]` and the row with `from`, written by its own codec.
 */
export function versionCodec<V>(rows: ValueCodec<V>, store: string): ValueCodec<Version<V>> {
  return {
    encode({ from, row }, until) {
      const rest = row === null ? new Uint8Array(NUMBER_BYTES) : rows.encode(row, from);
      if (row === null) writeNumber(rest, 0, from);
      const entry = new Uint8Array(HEAD_BYTES + rest.length);
      writeNumber(entry, 0, until);
      entry[NUMBER_BYTES] = row === null ? NO_ROW : ROW;
      entry.set(rest, HEAD_BYTES);
      return entry;
    },
    decode(bytes) {
      if (bytes.length < HEAD_BYTES + NUMBER_BYTES) {
        throw new StoreError('ERR_CORRUPT_STORE', `an entry of store ${store} has only ${bytes.length} bytes`, {
          hint: 'it is damaged: run the application under a new applicationId to rebuild the store',
        });
      }
      const timestamp = readNumber(bytes, 0);
      const rest = bytes.subarray(HEAD_BYTES);
      if (bytes[NUMBER_BYTES] === NO_ROW) return { timestamp, value: { from: readNumber(rest, 0), row: null } };
      const { timestamp: from, value: row } = rows.decode(rest);
      return { timestamp, value: { from, row } };
    },
  };
}
