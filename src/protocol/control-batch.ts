import { RecordBatchBuilder } from './batch-builder.ts';
import type { ControlMarker } from './batch-decoder.ts';
import * as at from './batch-format.ts';
import { sealBatch } from './batch-seal.ts';

/** Which transaction a marker ends, and how. */
export interface ControlBatchOptions {
  readonly marker: ControlMarker;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Epoch of the transaction coordinator (0). */
  readonly coordinatorEpoch?: number;
}

/**
 * Encodes the control batch with which a log ends a transaction: one record, version 0, as Kafka writes it. Base offset
 * 0; `stampBaseOffset` sets the real one.
 */
export function encodeControlBatch(options: ControlBatchOptions): Uint8Array {
  const key = new Uint8Array(4);
  key[3] = options.marker === 'commit' ? 1 : 0;
  const value = new Uint8Array(6);
  new DataView(value.buffer).setInt32(2, options.coordinatorEpoch ?? 0);
  const builder = new RecordBatchBuilder(128);
  builder.append(options.timestamp, key, value, []);
  const batch = builder.finish();
  sealBatch(batch, {
    attributes: at.TRANSACTIONAL_FLAG | at.CONTROL_FLAG,
    lastOffsetDelta: 0,
    baseTimestamp: options.timestamp,
    maxTimestamp: options.timestamp,
    producerId: options.producerId,
    producerEpoch: options.producerEpoch,
    baseSequence: -1,
    count: 1,
  });
  return batch;
}
