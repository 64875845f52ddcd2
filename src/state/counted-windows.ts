import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import type { CountWindower } from '../windows/windower.ts';
import { compareBytes } from './key-codec.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { StepTime, type TimeLimit } from './step-time.ts';
import { serdeCodec, type ValueCodec } from './value-codec.ts';
import type { WindowEvents, WindowMachine, WindowRow } from './window-machine.ts';

/** A window that is not full yet. */
interface CountedWindow<A> {
  readonly records: number;
  readonly start: number;
  readonly end: number;
  /** `undefined` if the aggregator deleted it. */
  readonly state: A | undefined;
}

/** The windows of a key. */
export interface CountedKey<A> {
  /** How many records until the next window starts. */
  readonly untilNext: number;
  /** The fullest first. */
  readonly windows: readonly CountedWindow<A>[];
}

/** The codec for the windows of a key; each state is written by its own codec. */
export function countedCodec<A>(codec: ValueCodec<A>, store: string): ValueCodec<CountedKey<A>> {
  type Written = readonly [number, readonly (readonly [number, number, number, Uint8Array | null])[]];
  const list = msgpack<Written>();
  const serde: Serde<CountedKey<A>> = {
    name: 'counted',
    serialize: ({ untilNext, windows }) =>
      list.serialize([
        untilNext,
        windows.map(({ end, records, start, state }) => [
          records,
          start,
          end,
          state === undefined ? null : codec.encode(state, end),
        ]),
      ]),
    deserialize(bytes) {
      const [untilNext, windows] = list.deserialize(bytes);
      return {
        untilNext,
        windows: windows.map(([records, start, end, state]) => ({
          records,
          start,
          end,
          state: state === null ? undefined : codec.decode(state).value,
        })),
      };
    },
  };
  return serdeCodec(serde, store);
}

/** The rules of count windows. Time plays no part. */
export class CountedWindows<K, V, A> implements WindowMachine<K, V, A> {
  readonly time: StepTime;
  readonly store: KeyValueStore<K, CountedKey<A>>;
  readonly nextClose: number = Number.POSITIVE_INFINITY;
  /** Rows are emitted with records, never later. */
  readonly oldest: number = Number.POSITIVE_INFINITY;
  readonly #windower: CountWindower;
  readonly #aggregator: Aggregator<V, A, unknown, null>;
  readonly #events: WindowEvents<K, A>;
  readonly #key: Serde<K>;

  constructor(
    windower: CountWindower,
    aggregator: Aggregator<V, A, unknown, null>,
    store: KeyValueStore<K, CountedKey<A>>,
    events: WindowEvents<K, A>,
    key: Serde<K>,
    limit: TimeLimit,
  ) {
    this.time = new StepTime(limit);
    this.store = store;
    this.#windower = windower;
    this.#aggregator = aggregator;
    this.#events = events;
    this.#key = key;
  }

  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const { advance, size } = this.#windower;
    const { timestamp } = record;
    const entry = this.store.entry(key);
    const { untilNext = 0, windows = [] } = entry.value ?? {};
    const begins = untilNext === 0;
    const fresh = { records: 0, start: timestamp, end: timestamp, state: undefined };
    const next = (begins ? [...windows, fresh] : windows).map(
      (window): CountedWindow<A> => ({
        records: window.records + 1,
        start: Math.min(window.start, timestamp),
        end: Math.max(window.end, timestamp),
        state: this.#fold(window.state, record),
      }),
    );
    const [full] = next;
    const rest = full?.records === size ? next.slice(1) : next;
    const until = (begins ? advance : untilNext) - 1;
    // If a window may start with the next record, nothing needs to be stored.
    if (rest.length === 0 && until === 0) this.store.delete(entry);
    else this.store.put(entry, { untilNext: until, windows: rest }, Math.max(entry.timestamp, timestamp));
    if (full !== undefined && rest !== next) this.#close(key, full);
  }

  advance(): void {
    this.time.advance();
  }

  closeAll(): void {
    const keys = Array.from(this.store.entries(), ({ key }) => key as NonNullable<K>);
    const open = keys.flatMap((key) => {
      const entry = this.store.entry(key);
      const windows = entry.value?.windows ?? [];
      this.store.delete(entry);
      const keyBytes = this.#key.serialize(key);
      return windows.map((window) => ({ key, keyBytes, window }));
    });
    open.sort((left, right) => left.window.start - right.window.start || compareBytes(left.keyBytes, right.keyBytes));
    for (const { key, window } of open) this.#close(key, window);
  }

  read(): undefined {
    return undefined;
  }

  #fold(state: A | undefined, record: StreamRecord<unknown, V>): A | undefined {
    const before = state === undefined ? this.#aggregator.init() : state;
    return settled(this.#aggregator.add(before, record.value, record)) ?? undefined;
  }

  #close(key: NonNullable<K>, { end, start, state }: CountedWindow<A>): void {
    const row: WindowRow<K, A> = { key, window: { start, end }, state, timestamp: end };
    if (state !== undefined) this.#events.closed(row);
  }
}
