import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from './byte-store.ts';
import { DueStore } from './due-store.ts';
import { KeyValueStore } from './key-value-store.ts';
import { type SpanLayout, SpanStore } from './span-store.ts';
import type { TimeLimit } from './step-time.ts';
import { TimedStore } from './timed-store.ts';
import type { ValueCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

interface AnySpec<K, V, R> {
  /** Unique in a pipeline; it identifies the state. */
  readonly name: string;
  readonly value: ValueCodec<V>;
  /** Identifies the meaning of the stored state. */
  readonly fingerprint: string;
  /** The fingerprint of an earlier version whose stores can still be opened. */
  readonly formerly?: string;
  /** Converts a stored value into what readers from outside see, such as the result of an aggregate. */
  readonly present?: (value: V) => R;
  /** How long entries are needed, in ms of stream time. */
  readonly retentionMs?: number;
  /** Serde of the keys; `upstream`: that of the keys that reach the step, which planning knows. */
  readonly key: Serde<K> | 'upstream';
}

/** The newest value of each key. */
export interface KeyValueSpec<K, V, R = V> extends AnySpec<K, V, R> {
  readonly kind: 'keyValue';
}

/** A value for each key and window: `[start][end][key]`. */
export interface WindowSpec<K, V, R = V> extends AnySpec<K, V, R> {
  readonly kind: 'window';
  /** Length of the windows, if all have the same; needed by older stores without ends. */
  readonly sizeMs?: number;
}

/** Values of a key at times: `[key][time][number]`. */
export interface TimedSpec<K, V, R = V> extends AnySpec<K, V, R> {
  readonly kind: 'timed';
}

/** Windows that are separate for each key: `[key][start][end]`, or ordered by their ends. */
export interface SpanSpec<K, V, R = V> extends AnySpec<K, V, R>, SpanLayout {
  readonly kind: 'span';
}

/** Events for keys that are due at times: `[time][key]`. */
export interface DueSpec<K, V, R = V> extends AnySpec<K, V, R> {
  readonly kind: 'due';
}

/** Everything needed to open and read a store without the step that wrote it. */
export type StoreSpec<K, V, R = V> =
  | KeyValueSpec<K, V, R>
  | WindowSpec<K, V, R>
  | TimedSpec<K, V, R>
  | SpanSpec<K, V, R>
  | DueSpec<K, V, R>;

/** A spec whose types are unknown. */
export type UnknownSpec = StoreSpec<unknown, unknown, unknown>;

/** The declaration of a store by a step. */
export interface DeclaredStore {
  readonly name: string;
  readonly fingerprint: string;
  readonly formerly?: string;
  readonly spec: UnknownSpec;
}

/** Declares a store by its spec. */
export function declareStore<K, V, R>(spec: StoreSpec<K, V, R>): DeclaredStore {
  const { fingerprint, formerly, name } = spec;
  const known = { name, fingerprint, spec: spec as unknown as UnknownSpec };
  return formerly === undefined ? known : { ...known, formerly };
}

/** A spec whose key serde is known. */
export type Resolved<S> = S extends { readonly key: infer K }
  ? Omit<S, 'key'> & { readonly key: Exclude<K, 'upstream'> }
  : never;

/** The spec with `upstream` replaced by the serde of the keys that reach its step; `undefined` if there is none. */
export function resolveSpec<S extends { readonly key: object | 'upstream' }>(
  spec: S,
  upstream: object | undefined,
): Resolved<S> | undefined {
  const key = spec.key === 'upstream' ? upstream : spec.key;
  return key === undefined ? undefined : ({ ...spec, key } as unknown as Resolved<S>);
}

/** The settings of a store: how much it may keep in memory, and the limit of its step's time. */
export interface StoreSettings {
  /** How many clean entries are kept decoded. */
  readonly cacheEntries: number;
  /** Window stores keep the time of their step; other stores do so after `keepTime`. */
  readonly limit: TimeLimit;
}

/** Opens the store that a spec describes. */
export function openStore<K, V, R>(
  spec: Resolved<KeyValueSpec<K, V, R>>,
  bytes: ByteStore,
  settings: StoreSettings,
): KeyValueStore<K, V>;
export function openStore<K, V, R>(
  spec: Resolved<WindowSpec<K, V, R>>,
  bytes: ByteStore,
  settings: StoreSettings,
): WindowStore<K, V>;
export function openStore<K, V, R>(
  spec: Resolved<TimedSpec<K, V, R>>,
  bytes: ByteStore,
  settings: StoreSettings,
): TimedStore<K, V>;
export function openStore<K, V, R>(
  spec: Resolved<SpanSpec<K, V, R>>,
  bytes: ByteStore,
  settings: StoreSettings,
): SpanStore<K, V>;
export function openStore<K, V, R>(
  spec: Resolved<DueSpec<K, V, R>>,
  bytes: ByteStore,
  settings: StoreSettings,
): DueStore<K, V>;
export function openStore<K, V, R>(
  spec: Resolved<StoreSpec<K, V, R>>,
  bytes: ByteStore,
  { cacheEntries, limit }: StoreSettings,
): KeyValueStore<K, V> | WindowStore<K, V> | TimedStore<K, V> | SpanStore<K, V> | DueStore<K, V> {
  const { key, value: codec, present = (value: V): unknown => value } = spec;
  if (spec.kind === 'keyValue') return new KeyValueStore(bytes, key, codec, cacheEntries, present);
  if (spec.kind === 'timed') return new TimedStore(bytes, key, codec, cacheEntries, present);
  if (spec.kind === 'due') return new DueStore(bytes, key, codec, cacheEntries, present);
  const options = { key, codec, cacheEntries, present, limit };
  if (spec.kind === 'span') return new SpanStore(bytes, { ...options, byEnd: spec.byEnd, openMs: spec.openMs });
  const { sizeMs } = spec;
  return new WindowStore(bytes, sizeMs === undefined ? options : { ...options, sizeMs });
}
