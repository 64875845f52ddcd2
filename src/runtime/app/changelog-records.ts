import type { FetchedBatch } from '../../log/transport.ts';
import type { StoreId, StoreWrites } from '../../state/byte-store.ts';
import { compareBytes } from '../../state/key-codec.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { INPUTS_STORE } from '../task/state-positions.ts';
import { type ChangelogWriter, generationOf, UNSAID, writerOf } from './changelog-writer.ts';

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

/** Ignored records of a changelog, written by a process that had lost the task. */
export interface PassedOver {
  /** Their keys, without duplicates. */
  readonly keys: Map<string, Uint8Array>;
  readonly generations: Set<number>;
}

/**
 * Converts the records of a changelog into writes for its store and its bookkeeping, ignoring records of outdated
 * writers.
 *
 * @param latest - The latest writer before the batch.
 * @param mine - What this process wrote itself before it stopped; rereading those records changes nothing in its store.
 */
export function writesOf(
  id: StoreId,
  batch: FetchedBatch,
  latest: ChangelogWriter,
  mine: Spell,
  passedOver: PassedOver,
): { readonly writes: readonly StoreWrites[]; readonly latest: ChangelogWriter } {
  const keys: Uint8Array[] = [];
  const values: (Uint8Array | null)[] = [];
  const writes: StoreWrites[] = [{ id, keys, values }];
  const { bytes, keyLength, keyStart, timestamp, valueLength, valueStart } = batch;
  let last = latest;
  for (let at = 0; at < batch.count; at += 1) {
    const length = keyLength[at] as number;
    // A record without a key was not written by the application.
    if (length < 0) continue;
    const keyAt = keyStart[at] as number;
    const key = bytes.slice(keyAt, keyAt + length);
    const aside = key[0] === ODD ? asideOf(key) : undefined;
    const writer = writerOf(timestamp[at] as number);
    if (writer !== UNSAID && writer < last) {
      if (writer >= mine.since && last <= mine.latest) continue;
      if (aside === undefined) passedOver.keys.set(Buffer.from(key).toString('latin1'), key);
      passedOver.generations.add(generationOf(writer));
      continue;
    }
    last = Math.max(last, writer);
    const valueAt = valueStart[at] as number;
    const size = valueLength[at] as number;
    const value = size < 0 ? null : bytes.slice(valueAt, valueAt + size);
    if (aside !== undefined) {
      writes.push({ id: { ...id, store: aside[0] }, keys: [storeKey(id.store)], values: [value] });
    } else {
      keys.push(key);
      values.push(value);
    }
  }
  return { writes, latest: last };
}

/** Whether a store holds bookkeeping for other stores. */
export function isAside({ store }: StoreId): boolean {
  return ASIDE.some(([aside]) => aside === store);
}

function oddKey(text: string): Uint8Array {
  return Uint8Array.of(ODD, 0xfe, ...new TextEncoder().encode(text), 0xff);
}

function asideOf(key: Uint8Array): (typeof ASIDE)[number] | undefined {
  return ASIDE.find(([, odd]) => compareBytes(key, odd) === 0);
}

/** The bookkeeping key of a store. */
export function storeKey(store: string): Uint8Array {
  return new TextEncoder().encode(store);
}
