import { MillraceError, RecordError } from '../../errors.ts';
import { bareMessage } from '../../log/record-failures.ts';
import { offsetOf } from '../../log/transport.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import { halvesOf, pickRecords } from '../../protocol/divide-batch.ts';
import { recordTooLarge } from '../local/errors.ts';
import { Code } from './error-codes.ts';
import type { KafkaError } from './errors.ts';
import type { QueuedBatch, Written } from './partition-line.ts';
import type { ProducedPartition } from './wire/produce.ts';

/** Batches built here may have the maximum size. */
const MAX_BATCH_BYTES = 2 ** 31 - 1;

/** The replacement of a refused batch: its parts or, if nothing is left, its outcome. */
export interface Divided {
  readonly whole?: Written;
  readonly parts: readonly QueuedBatch[];
}

/** The batch, or parts of it that fit into batches of that size. Records that do not fit are refused. */
export function fitting(batch: QueuedBatch, limit: number): readonly QueuedBatch[] {
  if (batch.bytes.length <= limit) return [batch];
  if (batch.count > 1) return halves(batch).flatMap((half) => fitting(half, limit));
  const refused = new Map<number, MillraceError>([[0, recordTooLarge(batch, batch.bytes.length, limit)]]);
  batch.resolve({ baseOffset: -1, refused });
  return [];
}

/**
 * Divides a batch that was refused because of some records: without the records that the broker names or, if it names
 * none, into halves, until the records are found.
 */
export function divided(
  batch: QueuedBatch,
  error: KafkaError,
  { recordErrors = [], message }: ProducedPartition,
): Divided {
  const refused = new Map<number, MillraceError>();
  for (const { index, message: reason } of recordErrors) {
    if (index >= 0 && index < batch.count) refused.set(index, refusalOf(batch, error, reason));
  }
  if (batch.count === 1) refused.set(0, refusalOf(batch, error, recordErrors[0]?.message ?? message));
  if (refused.size === 0) return { parts: halves(batch) };
  if (refused.size === batch.count) return { whole: { baseOffset: -1, refused }, parts: [] };
  const rest = Array.from({ length: batch.count }, (_, index) => index).filter((index) => !refused.has(index));
  return { parts: partsOf(batch, [rest], refused) };
}

/** The error for a refused record, or for a refused batch that must not be divided. */
export function refusalOf(batch: QueuedBatch, error: KafkaError, reason = ''): MillraceError {
  const { kafkaCode, hint } = error;
  if (kafkaCode === Code.MESSAGE_TOO_LARGE || kafkaCode === Code.RECORD_LIST_TOO_LARGE) {
    return recordTooLarge(batch, batch.bytes.length);
  }
  if (error.errorClass !== 'record') return error;
  const { topic, partition } = batch;
  const why = reason === '' ? '' : `: ${reason}`;
  return new RecordError(error.code, `${bareMessage(error)}${why}`, {
    topic,
    partition,
    written: 'no',
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

function halves(batch: QueuedBatch): QueuedBatch[] {
  return partsOf(batch, halvesOf(batch.count), new Map());
}

/** Splits a batch into parts, which together have all records that are not refused. */
function partsOf(
  batch: QueuedBatch,
  groups: readonly (readonly number[])[],
  refusals: ReadonlyMap<number, MillraceError>,
): QueuedBatch[] {
  const offsets = new Array<number>(batch.count).fill(-1);
  const refused = new Map(refusals);
  let left = groups.length;
  let written = false;
  let failure: MillraceError | undefined;
  const settle = (): void => {
    left -= 1;
    if (left > 0) return;
    if (failure !== undefined) batch.reject(written ? partly(failure) : failure);
    else batch.resolve({ baseOffset: offsets.find((offset) => offset >= 0) ?? -1, offsets, refused });
  };
  const columns = decodeBatch(batch.bytes, 0, { checkCrc: false, maxOutputBytes: MAX_BATCH_BYTES });
  return groups.map((group, at) => {
    const { compression, transactional } = columns;
    return {
      ...batch,
      bytes: pickRecords(columns, group).finish({ compression, transactional }),
      count: group.length,
      width: batch.width / groups.length,
      order: batch.order + (batch.width * at) / groups.length,
      resolve: (result) => {
        written ||= (result.refused?.size ?? 0) < group.length;
        for (const [position, index] of group.entries()) offsets[index] = offsetOf(result, position);
        for (const [position, error] of result.refused ?? []) refused.set(group[position] as number, error);
        settle();
      },
      reject: (error) => {
        failure ??= error;
        written ||= error.written !== 'no';
        settle();
      },
    };
  });
}

/** The failure of one part if another part was written. */
function partly(error: MillraceError): MillraceError {
  if (error.written === 'unknown') return error;
  const { code, errorClass, hint, partition, topic } = error;
  return new MillraceError(errorClass, code, `part of the batch may have been written: ${bareMessage(error)}`, {
    ...(topic === undefined ? {} : { topic }),
    ...(partition === undefined ? {} : { partition }),
    ...(hint === undefined ? {} : { hint }),
    written: 'unknown',
    cause: error,
  });
}
