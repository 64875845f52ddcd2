import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { ValueCodec } from './value-codec.ts';

/** The content of a span. */
export interface SpanContent<A> {
  /** `undefined` if the aggregator deleted it. */
  readonly state: A | undefined;
  /**
   * Whether it was open when it started. Other spans are only kept for the contents of later ones and never emitted.
   */
  readonly shown: boolean;
  /** Why the state cannot be read. */
  readonly failure?: unknown;
  /** The stored bytes of an unreadable state. */
  readonly unread?: Uint8Array;
}

/** The content of index entries. */
export const DUE: SpanContent<never> = Object.freeze({ state: undefined, shown: false });

const SHOWN = 1;
const HAS_STATE = 2;

/**
 * Codec for the contents of spans: one byte for the kind, then a state written by its own codec, or only the timestamp.
 * An unreadable state is reported when it is needed, because it must not prevent other spans from closing.
 */
export function spanCodec<A>(codec: ValueCodec<A>): ValueCodec<SpanContent<A>> {
  return {
    encode(content, timestamp) {
      if (content === DUE) return Uint8Array.of(0);
      const { shown, state, unread } = content;
      if (unread !== undefined) return unread;
      const rest = state === undefined ? timeOnly(timestamp) : codec.encode(state, timestamp);
      const bytes = new Uint8Array(1 + rest.length);
      bytes[0] = (shown ? SHOWN : 0) | (state === undefined ? 0 : HAS_STATE);
      bytes.set(rest, 1);
      return bytes;
    },
    decode(bytes) {
      if (bytes.length === 1) return { value: DUE, timestamp: -1 };
      const says = bytes[0] as number;
      const shown = (says & SHOWN) !== 0;
      const rest = bytes.subarray(1);
      if ((says & HAS_STATE) === 0) return { value: { state: undefined, shown }, timestamp: readNumber(rest, 0) };
      try {
        const { timestamp, value } = codec.decode(rest);
        return { value: { state: value, shown }, timestamp };
      } catch (failure) {
        return { value: { state: undefined, shown, failure, unread: bytes.slice() }, timestamp: -1 };
      }
    },
  };
}

function timeOnly(timestamp: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  writeNumber(bytes, 0, timestamp);
  return bytes;
}
