import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from './byte-store.ts';
import { NUMBER_BYTES, readNumber } from './numbers.ts';
import { FORMAT_KEY, paneKeysOf } from './pane-keys.ts';
import { spanCodec } from './span-codec.ts';
import { keyOfSpan, numbersOf, SPANS_END, spanKey, spansEnd, spansOf } from './span-keys.ts';
import type { StoreEntry } from './state-holder.ts';
import { StepTime, TIME_KEY } from './step-time.ts';
import type { DueSpec, KeyValueSpec, Resolved, SpanSpec, StoreSpec, TimedSpec, WindowSpec } from './store-spec.ts';
import { timedEnd, timedFrom, timedParts } from './timed-keys.ts';
import type { ValueCodec } from './value-codec.ts';

/** An entry that was read. It belongs to the reader: modifying it does not change the store. */
export interface ReadEntry<K, R> extends StoreEntry {
  readonly key: NonNullable<K>;
  readonly value: R;
}

/** An entry of a window store. */
export interface ReadPane<K, R> extends ReadEntry<K, R> {
  readonly window: Window;
}

/** Reads a key-value store. */
export interface KeyValueReader<K, R> {
  get(key: NonNullable<K>): ReadEntry<K, R> | undefined;
  /** Entries in order of their key bytes, with `from <= key < to`. */
  range(from?: NonNullable<K>, to?: NonNullable<K>): Generator<ReadEntry<K, R>>;
}

/** Reads a window store. */
export interface WindowReader<K, R> {
  get(key: NonNullable<K>, window: Window): ReadPane<K, R> | undefined;
  /** The entries of a key in windows that start from `from` to `to`, both inclusive. */
  windowsOf(key: NonNullable<K>, from?: number, to?: number): Generator<ReadPane<K, R>>;
  /** All panes of windows that start from `from` to `to`, both inclusive, ordered by window, then by key bytes. */
  range(from?: number, to?: number): Generator<ReadPane<K, R>>;
}

/** Reads a timed store or a due store: entries have the time as timestamp. */
export interface TimedReader<K, R> {
  /** The entries of a key from `from` to `to`, both inclusive. */
  rowsOf(key: NonNullable<K>, from?: number, to?: number): Generator<ReadEntry<K, R>>;
  range(): Generator<ReadEntry<K, R>>;
}

/**
 * Reads a store by its spec: the committed entries, or the `view()` of a store in use. It caches nothing and decodes a
 * separate copy of each entry.
 */
export function readStore<K, V, R>(spec: Resolved<KeyValueSpec<K, V, R>>, bytes: ByteStore): KeyValueReader<K, R>;
export function readStore<K, V, R>(
  spec: Resolved<WindowSpec<K, V, R>> | Resolved<SpanSpec<K, V, R>>,
  bytes: ByteStore,
): WindowReader<K, R>;
export function readStore<K, V, R>(
  spec: Resolved<TimedSpec<K, V, R>> | Resolved<DueSpec<K, V, R>>,
  bytes: ByteStore,
): TimedReader<K, R>;
export function readStore<K, V, R>(
  spec: Resolved<StoreSpec<K, V, R>>,
  bytes: ByteStore,
): KeyValueReader<K, R> | WindowReader<K, R> | TimedReader<K, R> {
  const entries = new Entries(spec.key, spec.value, spec.present);
  if (spec.kind === 'keyValue') return keyValueReader(entries, bytes);
  if (spec.kind === 'span') return spanReader(spec, bytes);
  if (spec.kind === 'window') return windowReader(entries, bytes, spec.sizeMs);
  return spec.kind === 'timed' ? timedReader(entries, bytes) : dueReader(entries, bytes);
}

class Entries<K, V, R> {
  readonly serde: Serde<K>;
  readonly #codec: ValueCodec<V>;
  readonly #present: (value: V) => R;

  constructor(serde: Serde<K>, codec: ValueCodec<V>, present: (value: V) => R = (value) => value as unknown as R) {
    this.serde = serde;
    this.#codec = codec;
    this.#present = present;
  }

  of(key: NonNullable<K>, stored: Uint8Array): ReadEntry<K, R> {
    const { timestamp, value } = this.#codec.decode(stored);
    return { key, value: this.#present(value), timestamp };
  }

  from(key: Uint8Array, stored: Uint8Array): ReadEntry<K, R> {
    return this.of(this.serde.deserialize(key), stored);
  }
}

function keyValueReader<K, V, R>(entries: Entries<K, V, R>, bytes: ByteStore): KeyValueReader<K, R> {
  const bytesOf = (key: NonNullable<K> | undefined): Uint8Array | undefined =>
    key === undefined ? undefined : entries.serde.serialize(key);
  return {
    get(key) {
      const stored = bytes.get(entries.serde.serialize(key));
      return stored === undefined ? undefined : entries.of(key, stored);
    },
    *range(from, to) {
      for (const [key, stored] of bytes.range(bytesOf(from), bytesOf(to))) yield entries.from(key, stored);
    },
  };
}

function windowReader<K, V, R>(entries: Entries<K, V, R>, bytes: ByteStore, sizeMs?: number): WindowReader<K, R> {
  const { keys } = paneKeysOf(bytes, sizeMs);
  const MAX = Number.MAX_SAFE_INTEGER;
  function* range(from: number = 0, to: number = MAX): Generator<ReadPane<K, R>> {
    const end = to >= MAX ? FORMAT_KEY : keys.of({ start: to + 1, end: 0 });
    for (const [pane, stored] of bytes.range(keys.of({ start: from, end: 0 }), end)) {
      yield { ...entries.from(pane.slice(keys.prefix), stored), window: keys.windowOf(pane) };
    }
  }
  return {
    get(key, window) {
      const stored = bytes.get(keys.of(window, entries.serde.serialize(key)));
      return stored === undefined ? undefined : { ...entries.of(key, stored), window };
    },
    *windowsOf(key, from = 0, to = MAX) {
      const wanted = entries.serde.serialize(key);
      // One seek per window, unless each has only a few keys.
      let seek: Uint8Array | undefined = keys.of({ start: from, end: 0 });
      while (seek !== undefined) {
        const [pane] = bytes.keys(seek, FORMAT_KEY);
        if (pane === undefined) return;
        const window = keys.windowOf(pane);
        if (window.start > to) return;
        const at = keys.of(window, wanted);
        const stored = bytes.get(at);
        if (stored !== undefined) yield { ...entries.of(key, stored), window };
        seek = keys.after(window);
      }
    },
    range,
  };
}

function timedReader<K, V, R>(entries: Entries<K, V, R>, bytes: ByteStore): TimedReader<K, R> {
  return {
    *rowsOf(key, from = 0, to = Number.MAX_SAFE_INTEGER) {
      const own = entries.serde.serialize(key);
      const end = to >= Number.MAX_SAFE_INTEGER ? timedEnd(own) : timedFrom(own, to + 1);
      for (const [, stored] of bytes.range(timedFrom(own, from), end)) yield entries.of(key, stored);
    },
    *range() {
      for (const [at, stored] of bytes.range()) {
        if (at.length > TIME_KEY.length) yield entries.from(timedParts(at).key, stored);
      }
    },
  };
}

function dueReader<K, V, R>(entries: Entries<K, V, R>, bytes: ByteStore): TimedReader<K, R> {
  function* range(): Generator<ReadEntry<K, R>> {
    for (const [at, stored] of bytes.range(undefined, TIME_KEY)) yield entries.from(at.slice(NUMBER_BYTES), stored);
  }
  return {
    *rowsOf(key, from = 0, to = Number.MAX_SAFE_INTEGER) {
      const own = entries.serde.serialize(key);
      for (const [at, stored] of bytes.range(undefined, TIME_KEY)) {
        const time = readNumber(at, 0);
        if (time < from || time > to || at.length !== NUMBER_BYTES + own.length) continue;
        if (own.every((byte, index) => byte === at[NUMBER_BYTES + index])) yield entries.of(key, stored);
      }
    },
    range,
  };
}

function spanReader<K, V, R>(spec: Resolved<SpanSpec<K, V, R>>, bytes: ByteStore): WindowReader<K, R> {
  const { byEnd, key: serde, openMs, present = (value: V): R => value as unknown as R } = spec;
  const codec = spanCodec(spec.value);
  const { streamTime } = new StepTime({ limit: Number.POSITIVE_INFINITY }, bytes.get(TIME_KEY));
  const MAX = Number.MAX_SAFE_INTEGER;
  function* within(from: Uint8Array | undefined, to: Uint8Array, key?: NonNullable<K>): Generator<ReadPane<K, R>> {
    for (const [at, stored] of bytes.range(from, to)) {
      const [first, second] = numbersOf(at);
      const window = byEnd ? { start: second, end: first } : { start: first, end: second };
      const { timestamp, value } = codec.decode(stored);
      if (value.failure !== undefined) throw value.failure;
      if (value.state === undefined || !value.shown || streamTime > window.end + openMs) continue;
      const its = key ?? serde.deserialize(keyOfSpan(at));
      yield { key: its, value: present(value.state), timestamp, window };
    }
  }
  function* windowsOf(key: NonNullable<K>, from: number = 0, to: number = MAX): Generator<ReadPane<K, R>> {
    const own = spansOf(serde.serialize(key));
    for (const pane of within(spanKey(own, byEnd ? 0 : from), spansEnd(own), key)) {
      if (pane.window.start >= from && pane.window.start <= to) yield pane;
    }
  }
  return {
    get(key, window) {
      for (const pane of windowsOf(key, window.start, window.start)) if (pane.window.end === window.end) return pane;
      return undefined;
    },
    windowsOf,
    *range(from = 0, to = MAX) {
      const panes = [...within(undefined, SPANS_END)].filter(({ window: { start } }) => start >= from && start <= to);
      // The sort is stable: keys of one window stay in byte order.
      yield* panes.sort(({ window: left }, { window: right }) => left.start - right.start || left.end - right.end);
    },
  };
}
