import type { Headers, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { msgpackCodec, type ValueCodec } from './value-codec.ts';

/** A record that a step holds back, but for its key. */
export interface HeldRecord {
  /** What it waits for, where that is not its timestamp. */
  readonly until: number;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly window?: Window;
  /** The row before, of changes. */
  readonly before?: unknown;
}

type Stored = readonly [
  until: number,
  timestamp: number,
  value: unknown,
  headers: Headers,
  topic: string,
  partition: number,
  offset: number,
  window: readonly [start: number, end: number] | null,
  before: readonly [unknown] | null,
];

/** How held records are stored. @param serde - Of their values; as MessagePack when left out. */
export function heldCodec(serde: Serde<unknown> | undefined, store: string): ValueCodec<HeldRecord> {
  const codec = msgpackCodec<Stored>(store);
  const write = (value: unknown): unknown =>
    serde === undefined || value === null ? value : serde.serialize(value as NonNullable<unknown>);
  const read = (value: unknown): unknown =>
    serde === undefined || value === null ? value : serde.deserialize(value as Uint8Array);
  return {
    encode(held, timestamp) {
      const { before, headers, offset, partition, topic, until, value, window } = held;
      const span = window === undefined ? null : ([window.start, window.end] as const);
      const was = before === undefined ? null : ([write(before)] as const);
      return codec.encode(
        [until, held.timestamp, write(value), headers, topic, partition, offset, span, was],
        timestamp,
      );
    },
    decode(bytes) {
      const { timestamp, value: stored } = codec.decode(bytes);
      const [until, time, value, headers, topic, partition, offset, span, was] = stored;
      const held = { until, value: read(value), timestamp: time, headers, topic, partition, offset };
      const windowed = span === null ? held : { ...held, window: { start: span[0], end: span[1] } };
      return { timestamp, value: was === null ? windowed : { ...windowed, before: read(was[0]) } };
    },
  };
}
