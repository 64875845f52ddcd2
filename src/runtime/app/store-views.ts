import type { Topology } from '../../plan/topology.ts';
import type { ByteStore } from '../../state/byte-store.ts';
import { storedSpecs } from '../task/stored-specs.ts';
import type { Task } from '../task/task.ts';
import { SpecStoreView, type StorePlaces, type StoreView } from './store-view.ts';
import type { TopicsInUse } from './topic-setup.ts';
import { unknownStore } from './unknown-store.ts';

/** An application as far as its stores are concerned. The tasks are those of this process. */
type Running = readonly [
  topology: Topology,
  topics: { readonly now: TopicsInUse },
  engine: { readonly tasks: ReadonlyMap<string, Task> } | undefined,
];

/**
 * Gives views of the stores of an application by their names.
 *
 * @param now - The application at the time of a call: its tasks come and go.
 * @returns A function that throws ConfigError `ERR_UNKNOWN_STORE`.
 */
export function storeViews(now: () => Running): <K, V>(store: { readonly name: string } | string) => StoreView<K, V> {
  return <K, V>(store: { readonly name: string } | string) => {
    const name = typeof store === 'string' ? store : store.name;
    const [topology] = now();
    const spec = storedSpecs(topology).get(name);
    if (spec === undefined) throw unknownStore(name, topology);
    return new SpecStoreView<K, V>(spec, () => placesOf(name, now()));
  };
}

function placesOf(name: string, [{ stages }, topics, engine]: Running): StorePlaces {
  const here = new Map<number, ByteStore>();
  for (const task of engine?.tasks.values() ?? []) {
    const bytes = task.stores.find((holder) => holder.name === name)?.view?.();
    if (bytes !== undefined) here.set(task.partition, bytes);
  }
  const stage = stages.find(({ stores }) => stores.some((use) => use.name === name));
  const counts = (stage?.inputs ?? []).flatMap((use) => topics.now.get(use.name)?.partitions ?? []);
  return { here, count: counts.length === 0 ? undefined : Math.max(...counts) };
}
