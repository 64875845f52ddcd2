import { onAbort } from '../dataflow/abort.ts';
import type { Clock } from '../dataflow/clock.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { bytesId } from '../state/key-codec.ts';
import type { LookupCache } from './lookup-cache.ts';

/** Asks a system outside. */
export type LookUp<C, W> = (id: never, call: C) => Promise<W | null | undefined> | W | null | undefined;

/** Look-ups of one task: what is known is not asked again, and what is being asked is asked once. */
export class Lookups<C extends { readonly signal: AbortSignal }, W> {
  readonly #lookUp: LookUp<C, W>;
  readonly #cache: LookupCache<W> | undefined;
  readonly #clock: Clock;
  /** Calls under way, by what they ask for. */
  readonly #asked = new Map<unknown, Promise<W | null>>();

  constructor(lookUp: LookUp<C, W>, cache: LookupCache<W> | undefined, clock: Clock) {
    this.#lookUp = lookUp;
    this.#cache = cache;
    this.#clock = clock;
  }

  /** `undefined` where it has to be asked for. */
  known(id: unknown): W | null | undefined {
    return this.#cache?.get(identity(id), this.#clock.monotonic());
  }

  /** The row; `null` where there is none. */
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
    // An answer that nobody waits for any more may never come.
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

/** No text that UTF-8 can say begins so. */
const OBJECT = '\ud800';

const DATA = msgpack<unknown>();

/**
 * What a `Map` can tell apart: data by what is in it, as MessagePack writes it. Of another object, such as a `Map` or one of a class, it
 * cannot be seen from outside whether another one is the same: it is only itself.
 */
function identity(id: unknown): unknown {
  if (typeof id !== 'object' || id === null || !isData(id)) return id;
  try {
    return OBJECT + bytesId(DATA.serialize(id));
  } catch {
    return id;
  }
}

/** Whether everything that a value is lies open. */
function isData(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return true;
  if (Array.isArray(value)) return value.every(isData);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData);
}
