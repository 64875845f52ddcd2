/** The state of a partition. */
export interface PartitionState {
  /** The first offset that can be read. */
  start: number;
  /** The offset of the next record. */
  end: number;
  /** Bytes of all batches. */
  bytes: number;
  /** Batches below this offset have been compacted already. */
  compactedTo: number;
}

/** The index entry of a batch; its base offset is in the key. */
export interface IndexEntry {
  readonly nextOffset: number;
  readonly maxTimestamp: number;
  /** When it was written, epoch milliseconds. */
  readonly appendedAt: number;
  readonly bytes: number;
}

function encodeNumbers(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => view.setFloat64(i * 8, number));
  return bytes;
}

const decodeNumbers = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >>> 3 }, (_, i) => view.getFloat64(i * 8));
};

export function encodePartition({ start, end, bytes, compactedTo }: PartitionState): Uint8Array {
  return encodeNumbers(start, end, bytes, compactedTo);
}

export function decodePartition(value: Uint8Array): PartitionState {
  const [start = 0, end = 0, bytes = 0, compactedTo = 0] = decodeNumbers(value);
  return { start, end, bytes, compactedTo };
}

export function encodeIndex({ nextOffset, maxTimestamp, appendedAt, bytes }: IndexEntry): Uint8Array {
  return encodeNumbers(nextOffset, maxTimestamp, appendedAt, bytes);
}

export function decodeIndex(value: Uint8Array): IndexEntry {
  const [nextOffset = 0, maxTimestamp = 0, appendedAt = 0, bytes = 0] = decodeNumbers(value);
  return { nextOffset, maxTimestamp, appendedAt, bytes };
}
