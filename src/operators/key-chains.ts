import type { Serde } from '../serdes/serde.ts';
import { bytesId, type KeyId, keyId } from '../state/key-codec.ts';

/** Things to do, by key: of each key one is being done, and the others wait behind it in order. */
export class KeyChains<S> {
  /** Of the keys that come, as long as none was changed above. */
  readonly #serde: Serde<unknown> | undefined;
  readonly #chains = new Map<KeyId, S[]>();
  /** How many wait behind another one of their key. */
  behind = 0;

  constructor(serde: Serde<unknown> | undefined) {
    this.#serde = serde;
  }

  /** Keys are one here when they are one in the stores and partitions that they come from. @returns `undefined` for none. */
  of(key: unknown): KeyId | undefined {
    if (key === null || key === undefined || this.#serde === undefined) return chainOf(key);
    try {
      return keyId(key, this.#serde);
    } catch {
      // A plain operator has put in a key of another kind.
      return chainOf(key);
    }
  }

  /** Whether nothing of a chain is being done. */
  isFree(chain: KeyId | undefined): boolean {
    return chain === undefined || !this.#chains.has(chain);
  }

  /** @returns Whether it may be done now: else it waits. */
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

  /** One is done. @returns What may be done next. */
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
