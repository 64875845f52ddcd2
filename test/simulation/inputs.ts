import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import type { Random } from './random.ts';

/** A record that the application is to process. */
export interface Input {
  readonly id: number;
  readonly partition: number;
  readonly key: string;
  readonly timestamp: number;
  /** Virtual time at which it is in the log, in ms; `undefined` for one that comes when all others are processed. */
  readonly at: number | undefined;
}

/** Ids from here on are of records that nobody is to see. */
export const UNSEEN = 1_000_000;

export interface InputShape {
  readonly partitions: number;
  readonly records: number;
  /** How much of event time they take. */
  readonly spanMs: number;
  /** Whether they are all there before the application starts, or come while it runs. */
  readonly live: boolean;
  /** Over how much virtual time they come. */
  readonly troubleMs: number;
  readonly keys: number;
  /** When there are more partitions, and how many. */
  readonly grows?: Growth | undefined;
  /** Partitions that get nothing which closes windows. */
  readonly hanging: readonly boolean[];
}

/** The source gets more partitions. */
export interface Growth {
  readonly at: number;
  readonly partitions: number;
}

/** Event time begins here; long before the clocks of the simulated machines. */
const EPOCH = 1_600_000_000_000;
/** Keys behind a shuffle: records are spread over them by their ids. */
export const CLOSERS = 5;
/** Records so much later than all others close their windows. */
const CLOSING_MS = 3_600_000;

/** Records whose timestamps go up in each partition, and one more in each that closes every window. */
export function makeInputs(shape: InputShape, random: Random): Input[] {
  const { grows, keys, live, partitions, records, spanMs, troubleMs } = shape;
  const partitionsAt = (at: number): number =>
    live && grows !== undefined && at > grows.at ? grows.partitions : partitions;
  const times = Array.from({ length: records }, () => random.next()).sort((left, right) => left - right);
  const inputs = times.map(
    (part, id): Input => ({
      id,
      partition: random.int(0, partitionsAt(part * troubleMs) - 1),
      key: `k${random.int(0, keys - 1)}`,
      timestamp: EPOCH + Math.floor(part * spanMs),
      at: live ? part * troubleMs : 0,
    }),
  );
  // As many of each partition as there are keys behind a shuffle, so that every task there gets one.
  for (let at = 0; at < partitionsAt(Number.POSITIVE_INFINITY) * CLOSERS; at++) {
    if (shape.hanging[Math.floor(at / CLOSERS)] === true) continue;
    const id = records - (records % CLOSERS) + CLOSERS + at;
    const timestamp = EPOCH + spanMs + CLOSING_MS;
    inputs.push({ id, partition: Math.floor(at / CLOSERS), key: `k${id % keys}`, timestamp, at: live ? undefined : 0 });
  }
  return inputs;
}

/** A batch with one record: its id in text. */
export function encodeInput({ id, key, timestamp }: Input): Uint8Array {
  const builder = new RecordBatchBuilder(256);
  builder.append(timestamp, key, String(id), []);
  return builder.finish();
}
