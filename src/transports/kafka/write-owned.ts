import type { BatchEncoder, EncodedBatch } from './encode-batches.ts';
import type { Written } from './partition-line.ts';

/**
 * Writes a batch, and asks its owner about the records that were refused; what it wants written in their stead is written
 * too. Batches that are appended one after the other stay in that order.
 *
 * @param append - Hands a batch over.
 * @param appendMore - Hands over what replaces refused records; resolves when that was written.
 */
export async function writeOwned(
  batch: EncodedBatch,
  encoder: BatchEncoder,
  append: (batch: EncodedBatch) => Promise<Written>,
  appendMore: (batches: readonly EncodedBatch[]) => Promise<unknown>,
): Promise<void> {
  const { refused } = await append(batch);
  if (refused === undefined || batch.owner === undefined) return;
  for (const [index, error] of refused) {
    const instead = await batch.owner.refused(error, batch.topic, batch.origins?.at(index));
    if (instead.length > 0) await appendMore(await Promise.all(instead.map(async (each) => encoder.encode(each))));
  }
}
