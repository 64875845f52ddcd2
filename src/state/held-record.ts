import type { Headers, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { msgpackCodec, type ValueCodec } from './value-codec.ts';

/** A record that a step holds back, without its key. */
export interface HeldRecord {
  /** The time that it waits for, which may differ from its timestamp. */
  readonly until: number;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly window?: Window;
  /** For changes: the row before. */
  readonly before?: unknown;
}

/** A held record as MessagePack can write it. */
export type StoredRecord = readonly [
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

/** Converts the values of held records for storage. */
export interface ValueForm {
  write(value: unknown): unknown;
  read(stored: unknown): unknown;
}

/** Values encoded by a serde, or unchanged without one. `null` stays `null`. */
export function valueForm(serde: Serde<unknown> | undefined): ValueForm {
  if (serde === undefined) return { write: (value) => value, read: (stored) => stored };
  return {
    write: (value) => (value === null ? value : serde.serialize(value as NonNullable<unknown>)),
    read: (stored) => (stored === null ? stored : serde.deserialize(stored as Uint8Array)),
  };
}

/** A held record as MessagePack can write it, and back. */
export function heldForm(form: ValueForm): {
  pack(held: HeldRecord): StoredRecord;
  unpack(stored: StoredRecord): HeldRecord;
} {
  return {
    pack({ before, headers, offset, partition, timestamp, topic, until, value, window }) {
      const span = window === undefined ? null : ([window.start, window.end] as const);
      const was = before === undefined ? null : ([form.write(before)] as const);
      return [until, timestamp, form.write(value), headers, topic, partition, offset, span, was];
    },
    unpack([until, timestamp, value, headers, topic, partition, offset, span, was]) {
      const held = { until, value: form.read(value), timestamp, headers, topic, partition, offset };
      const windowed = span === null ? held : { ...held, window: { start: span[0], end: span[1] } };
      return was === null ? windowed : { ...windowed, before: form.read(was[0]) };
    },
  };
}

/** How held records are stored. @param serde - The serde of their values (default: MessagePack). */
export function heldCodec(serde: Serde<unknown> | undefined, store: string): ValueCodec<HeldRecord> {
  const codec = msgpackCodec<StoredRecord>(store);
  const { pack, unpack } = heldForm(valueForm(serde));
  return {
    encode: (held, timestamp) => codec.encode(pack(held), timestamp),
    decode(bytes) {
      const { timestamp, value } = codec.decode(bytes);
      return { timestamp, value: unpack(value) };
    },
  };
}
