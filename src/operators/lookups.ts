import { onAbort } from '../dataflow/abort.ts';
import type { Clock } from '../dataflow/clock.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { bytesId } from '../state/key-codec.ts';
import type { LookupCache } from './lookup-cache.ts';

/** Looks a row up in an external system. */
export type LookUp<C, W> = (id: never, call: C) => Promise<W | null | undefined> | W | null | undefined;

/** The look-ups of one task: cached answers cause no call, and concurrent look-ups of the same id share one. */
export class Lookups<C extends { readonly signal: AbortSignal }, W> {
  readonly #lookUp: LookUp<C, W>;
  readonly #cache: LookupCache<W> | undefined;
  readonly #clock: Clock;
  /** Calls in progress, by id. */
  readonly #asked = new Map<unknown, Promise<W | null>>();

  constructor(lookUp: LookUp<C, W>, cache: LookupCache<W> | undefined, clock: Clock) {
    this.#lookUp = lookUp;
    this.#cache = cache;
    this.#clock = clock;
  }

  /** The cached row; `undefined` if a call is needed. */
  known(id: unknown): W | null | undefined {
    return this.#cache?.get(identity(id), this.#clock.monotonic());
  }

  /** The row; `null` if there is none. */
  async of(id: unknown, call: C): Promise<W | null> {
    const known = this.known(id);
    if (known !== undefined) return known;
    const asked = identity(id);
    const under = this.#asked.get(asked);
    if (under !== undefined) return under;
    const row = this.#ask(id, asked, call);
    this.#asked.set(asked, row);
    const forget = (): void => {
      if (this.#asked.get(asked) === row) this.#asked.delete(asked);
    };
    // After an abort nobody waits for the answer, and it may never come.
    const ignore = onAbort(call.signal, forget);
    try {
      return await row;
    } finally {
      ignore();
      forget();
    }
  }

  async #ask(id: unknown, asked: unknown, call: C): Promise<W | null> {
    const row = (await this.#lookUp(id as never, call)) ?? null;
    this.#cache?.set(asked, row, this.#clock.monotonic());
    return row;
  }
}

/** A lone surrogate, so no valid UTF-8 text starts with it. */
const OBJECT = '\ud800';

const DATA = msgpack<unknown>();

/**
 * A `Map` key for an id. Plain data is compared by content, as MessagePack writes it. Any other object, such as a `Map`
 * or an instance of a class, may have hidden state, so it equals only itself.
 */
function identity(id: unknown): unknown {
  if (typeof id !== 'object' || id === null || !isData(id)) return id;
  try {
    return OBJECT + bytesId(DATA.serialize(id));
  } catch {
    return id;
  }
}

/** Whether a value is plain data, without hidden state. */
function isData(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return true;
  if (Array.isArray(value)) return value.every(isData);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData);
}
