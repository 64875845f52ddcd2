import { MillraceError } from '../../errors.ts';
import { type AppendResult, type OutgoingBatch, offsetOf, type Producer } from '../../log/transport.ts';
import { halvesOf, pickRecords } from '../../protocol/divide-batch.ts';

/**
 * Turns an all-or-nothing `send` into one in which refused records do not fail the others: it sends everything together
 * first and, if that is refused, batch by batch and half by half.
 */
export function oneByOne(send: Producer['send']): Producer['sendEach'] {
  return async (batches) => {
    try {
      return await send(batches);
    } catch (error) {
      const failure = ours(error);
      if (failure.written !== 'no') return batches.map(() => failure);
      const outcomes: (AppendResult | MillraceError)[] = [];
      for (const batch of batches) outcomes.push(await alone(send, batch, batches.length === 1 ? failure : undefined));
      return outcomes;
    }
  };
}

/** @param known - Why the batch was refused, if it was. */
async function alone(
  send: Producer['send'],
  batch: OutgoingBatch,
  known?: MillraceError,
): Promise<AppendResult | MillraceError> {
  let failure = known;
  try {
    if (failure === undefined) return (await send([batch]))[0] as AppendResult;
  } catch (error) {
    failure = ours(error);
  }
  if (failure.errorClass !== 'record' || failure.written !== 'no') return failure;
  const { partition, records, topic } = batch;
  if (records.count === 1) return { topic, partition, baseOffset: -1, refused: new Map([[0, failure]]) };
  const offsets: number[] = [];
  const refused = new Map<number, MillraceError>();
  const columns = records.columns(0);
  for (const half of halvesOf(records.count)) {
    const result = await alone(send, { ...batch, records: pickRecords(columns, half) });
    for (let index = 0; index < half.length; index += 1) {
      const refusal = result instanceof MillraceError ? result : result.refused?.get(index);
      if (refusal !== undefined) refused.set(offsets.length, refusal);
      offsets.push(result instanceof MillraceError ? -1 : offsetOf(result, index));
    }
  }
  return { topic, partition, baseOffset: offsets.find((offset) => offset >= 0) ?? -1, offsets, refused };
}

const ours = (error: unknown): MillraceError => {
  if (error instanceof MillraceError) return error;
  throw error;
};
