import type { StoreId } from '../../state/byte-store.ts';
import { compareBytes } from '../../state/key-codec.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { INPUTS_STORE } from '../task/state-positions.ts';
import type { ChangelogWriter } from './changelog-writer.ts';

/**
 * Keys of the records with the fingerprint of a store and the positions of its inputs. They are long and unusual,
 * because a store may have any key: 0xff never occurs in UTF-8 text, and no window starts that late.
 */
const ODD = 0xff;
const FINGERPRINT_KEY: Uint8Array = oddKey('millrace store fingerprint');
const INPUTS_KEY: Uint8Array = oddKey('millrace store inputs');

/** Bookkeeping for every store of a task: the local store that holds it, and its key in the changelog. */
export const ASIDE: readonly (readonly [store: string, key: Uint8Array])[] = [
  [FINGERPRINT_STORE, FINGERPRINT_KEY],
  [INPUTS_STORE, INPUTS_KEY],
];

/** The range of writers during which a process owned a task, so that nobody else wrote. */
export interface Spell {
  readonly since: ChangelogWriter;
  readonly latest: ChangelogWriter;
}

/** Whether a store holds bookkeeping for other stores. */
export function isAside({ store }: StoreId): boolean {
  return ASIDE.some(([aside]) => aside === store);
}

function oddKey(text: string): Uint8Array {
  return Uint8Array.of(ODD, 0xfe, ...new TextEncoder().encode(text), 0xff);
}

/** The bookkeeping that a key stands for; `undefined` for a key of the store. */
export function asideOf(key: Uint8Array): (typeof ASIDE)[number] | undefined {
  if (key[0] !== ODD) return undefined;
  return ASIDE.find(([, odd]) => compareBytes(key, odd) === 0);
}

/** The bookkeeping key of a store. */
export function storeKey(store: string): Uint8Array {
  return new TextEncoder().encode(store);
}
