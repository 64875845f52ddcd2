import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { peekBatchHeader } from '../../src/protocol/batch-header.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import { ownCluster } from './cluster.ts';

/**
 * That the broker has batches of this compression only in partition 0: clients may leave it out where it gains nothing,
 * and then a test would show nothing. Not with a foreign broker, whose files are elsewhere.
 */
export async function expectCodecOnDisk(topic: string, codec: Compression): Promise<void> {
  if (!ownCluster) return;
  const segment = join(inject('clusterFolder'), 'node-1', 'data', `${topic}-0`, '00000000000000000000.log');
  const bytes = await readFile(segment);
  const codecs = new Set<Compression>();
  for (let at = 0; ; ) {
    const header = peekBatchHeader(bytes, at);
    if (header === undefined) break;
    if (header.count > 0 && !header.control) codecs.add(header.compression);
    at += header.byteLength;
  }
  expect([...codecs]).toEqual([codec]);
}
