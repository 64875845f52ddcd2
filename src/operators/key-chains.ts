import type { Serde } from '../serdes/serde.ts';
import { bytesId, type KeyId, keyId } from '../state/key-codec.ts';

/** Work items by key: one item of each key is in progress, and the others wait behind it in order. */
export class KeyChains<S> {
  /** The serde of the keys, unless a step above changed them. */
  readonly #serde: Serde<unknown> | undefined;
  readonly #chains = new Map<KeyId, S[]>();
  /** How many items wait behind another one of their key. */
  behind = 0;

  constructor(serde: Serde<unknown> | undefined) {
    this.#serde = serde;
  }

  /**
   * The chain of a key. Two keys are equal if their bytes are, as in stores and partitions. @returns `undefined` for a
   * null key.
   */
  of(key: unknown): KeyId | undefined {
    if (key === null || key === undefined || this.#serde === undefined) return chainOf(key);
    try {
      return keyId(key, this.#serde);
    } catch {
      // A plain RxJS operator has set a key that the serde cannot write.
      return chainOf(key);
    }
  }

  /** Whether no item of a chain is in progress. */
  isFree(chain: KeyId | undefined): boolean {
    return chain === undefined || !this.#chains.has(chain);
  }

  /** @returns Whether the item may start now; otherwise it waits. */
  enter(chain: KeyId | undefined, what: S): boolean {
    if (chain === undefined) return true;
    const behind = this.#chains.get(chain);
    if (behind !== undefined) {
      behind.push(what);
      this.behind += 1;
      return false;
    }
    this.#chains.set(chain, []);
    return true;
  }

  /** Ends the current item of a chain. @returns The item that may start next. */
  leave(chain: KeyId | undefined): S | undefined {
    if (chain === undefined) return undefined;
    const next = this.#chains.get(chain)?.shift();
    if (next === undefined) this.#chains.delete(chain);
    else this.behind -= 1;
    return next;
  }
}

function chainOf(key: unknown): KeyId | undefined {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return key;
    case 'object':
      if (key === null) return undefined;
      return key instanceof Uint8Array ? bytesId(key) : JSON.stringify(key, withBigInts);
    default:
      return undefined;
  }
}

function withBigInts(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
