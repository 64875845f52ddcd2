import type { RecordColumns } from '../../protocol/columns.ts';

/** The newest offset of each key. Keys are compared by their bytes. */
export class NewestByKey {
  readonly #newest = new Map<string, number>();

  /** Takes the records of a batch, in any order of batches. */
  add(columns: RecordColumns, baseOffset: number): void {
    for (let i = 0; i < columns.count; i++) {
      const key = keyOf(columns, i);
      if (key === undefined) continue;
      const offset = baseOffset + columns.offsetDelta[i]!;
      const known = this.#newest.get(key);
      if (known === undefined || known < offset) this.#newest.set(key, offset);
    }
  }

  /**
   * Indices of the records of a batch that stay: the newest of each key, without tombstones once they are due, and all
   * records without a key.
   */
  survivors(columns: RecordColumns, baseOffset: number, dropTombstones: boolean): readonly number[] {
    const kept: number[] = [];
    for (let i = 0; i < columns.count; i++) {
      const key = keyOf(columns, i);
      if (key !== undefined) {
        if (this.#newest.get(key) !== baseOffset + columns.offsetDelta[i]!) continue;
        if (dropTombstones && columns.valueLength[i]! < 0) continue;
      }
      kept.push(i);
    }
    return kept;
  }
}

function keyOf(columns: RecordColumns, i: number): string | undefined {
  const length = columns.keyLength[i]!;
  if (length < 0) return undefined;
  const start = columns.keyStart[i]!;
  let text = '';
  // One character per byte: exact for any bytes, which UTF-8 decoding is not.
  for (let at = start; at < start + length; at++) text += String.fromCharCode(columns.bytes[at]!);
  return text;
}

/** Some records of a batch, at their old offsets. The bytes are shared. */
export function selectRecords(columns: RecordColumns, indices: readonly number[]): RecordColumns {
  const ints = (from: Int32Array): Int32Array => Int32Array.from(indices, (i) => from[i]!);
  return {
    count: indices.length,
    baseOffset: columns.baseOffset,
    nextOffset: columns.nextOffset,
    bytes: columns.bytes,
    offsetDelta: ints(columns.offsetDelta),
    timestamp: Float64Array.from(indices, (i) => columns.timestamp[i]!),
    keyStart: ints(columns.keyStart),
    keyLength: ints(columns.keyLength),
    valueStart: ints(columns.valueStart),
    valueLength: ints(columns.valueLength),
    headers: (i) => columns.headers(indices[i]!),
  };
}
