import type { Compression } from './compression.ts';

/** Kafka's numbers are the positions in this list. */
const IDS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The number of a compression in the attributes of a batch. */
export function compressionId(compression: Compression): number {
  return IDS.indexOf(compression);
}

/** The compression with a number; `undefined` for a number that has none. */
export function compressionById(id: number): Compression | undefined {
  return IDS[id];
}
