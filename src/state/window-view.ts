import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from './byte-store.ts';
import { type KeyId, keyId } from './key-codec.ts';
import { filtered, mergedWith, sortedRange } from './merged-bytes.ts';
import type { OpenWindows } from './open-windows.ts';
import type { Pane, PaneGroup } from './pane.ts';
import { formatOf, isFormat, type PaneKeys } from './pane-keys.ts';
import type { RecentGroups } from './recent-groups.ts';
import type { ValueCodec } from './value-codec.ts';

/**
 * The windows of a store as bytes: the stored entries, overlaid with those in memory, without those of closed windows.
 */
export function windowView<K, A>(
  bytes: ByteStore,
  keys: PaneKeys,
  { codec, key: keySerde }: { readonly key: Serde<K>; readonly codec: ValueCodec<A> },
  open: OpenWindows<PaneGroup<K, A>>,
  groups: RecentGroups<K, A>,
): ByteStore {
  const groupOf = (pane: Uint8Array): PaneGroup<K, A> | undefined => {
    const { end, start } = keys.windowOf(pane);
    return open.get(start, end);
  };
  const isOpen = (pane: Uint8Array): boolean => {
    const { end, start } = keys.windowOf(pane);
    return open.has(start, end);
  };
  const idOf = (pane: Uint8Array): KeyId => keyId(keySerde.deserialize(pane.slice(keys.prefix)), keySerde);
  const merged = mergedWith<Pane<K, A>>(
    filtered(bytes, (key) => key.length < keys.prefix || isOpen(key)),
    {
      get: (key) => (key.length < keys.prefix ? undefined : groupOf(key)?.get(idOf(key))),
      range: (from, to) => sortedRange([...inMemory(groups)], (pane) => keys.of(pane.window, pane.keyBytes), from, to),
    },
    ({ state, timestamp }) => (state === undefined ? null : codec.encode(state, timestamp)),
  );
  return { ...merged, get: (key) => (isFormat(key) ? formatOf(keys) : merged.get(key)) };
}

function* inMemory<K, A>(groups: RecentGroups<K, A>): Generator<Pane<K, A>> {
  for (let group = groups.first; group !== undefined; group = group.after) yield* group.panes();
}
