import type { MillraceError } from '../errors.ts';
import { rawRecord } from '../runtime/decode.ts';
import type { OutputTopic } from '../runtime/outputs.ts';
import { writeFailure } from './failures.ts';
import { Round, type RoundBatch, type Waiting } from './round.ts';

/**
 * Cuts a batch anew after the topic's limit was lowered, so that only the records that are really too large are refused.
 */
export function repack({ batch, waiting }: RoundBatch, limits: OutputTopic): RoundBatch[] {
  const { topic, partition, records } = batch;
  const columns = records.columns(0);
  const round = new Round(() => limits, false);
  for (let at = 0; at < columns.count; at += 1) {
    const waits = waiting[at] as Waiting;
    try {
      round.add({ ...rawRecord(columns, at, topic, partition), size: 0 }, waits);
    } catch (error) {
      waits.reject?.(writeFailure(error, topic, 'no', partition) satisfies MillraceError);
    }
  }
  return round.take();
}
