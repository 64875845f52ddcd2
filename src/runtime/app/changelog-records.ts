import type { FetchedBatch } from '../../log/transport.ts';
import type { StoreId, StoreWrites } from '../../state/byte-store.ts';
import { compareBytes } from '../../state/key-codec.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { INPUTS_STORE } from '../task/state-positions.ts';
import { type ChangelogWriter, generationOf, UNSAID, writerOf } from './changelog-writer.ts';

/**
 * Keys of the records that say what wrote a store, and how far its inputs were read. Long and odd, because a store may have
 * any key: 0xff is not part of any text, and no window starts so late.
 */
const ODD = 0xff;
const FINGERPRINT_KEY: Uint8Array = oddKey('millrace store fingerprint');
const INPUTS_KEY: Uint8Array = oddKey('millrace store inputs');

/** What goes with every store of a task: the store that holds it on this machine, and its key in the changelog. */
export const ASIDE: readonly (readonly [store: string, key: Uint8Array])[] = [
  [FINGERPRINT_STORE, FINGERPRINT_KEY],
  [INPUTS_STORE, INPUTS_KEY],
];

/** Between which writers a process owned a task, so that nobody else wrote. */
export interface Spell {
  readonly since: ChangelogWriter;
  readonly latest: ChangelogWriter;
}

/** Records of a changelog that were written by a process which had lost the task. */
export interface PassedOver {
  /** Their keys, each once. */
  readonly keys: Map<string, Uint8Array>;
  readonly generations: Set<number>;
}

/**
 * What the records of a changelog say about its store, and about what wrote it; those of a writer that was past are left
 * out.
 *
 * @param latest - The latest writer before the batch.
 * @param mine - What the process wrote itself before it stopped: what it reads of that again is in its store.
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
    // A record without a key is not ours; a changelog is written by its application only.
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

/** Whether a store is one of those that go with others. */
export function isAside({ store }: StoreId): boolean {
  return ASIDE.some(([aside]) => aside === store);
}

function oddKey(text: string): Uint8Array {
  return Uint8Array.of(ODD, 0xfe, ...new TextEncoder().encode(text), 0xff);
}

function asideOf(key: Uint8Array): (typeof ASIDE)[number] | undefined {
  return ASIDE.find(([, odd]) => compareBytes(key, odd) === 0);
}

/** Key of what is said of a store. */
export function storeKey(store: string): Uint8Array {
  return new TextEncoder().encode(store);
}
