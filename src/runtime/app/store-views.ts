import { FatalError } from '../../errors.ts';
import type { Topology } from '../../plan/topology.ts';
import type { ByteStore } from '../../state/byte-store.ts';
import type { StateHolder } from '../../state/state-holder.ts';
import { storedSpecs } from '../task/stored-specs.ts';
import type { Task } from '../task/task.ts';
import { SpecStoreView, type StorePlaces, type StoreView } from './store-view.ts';
import type { TopicsInUse } from './topic-setup.ts';
import { unknownStore } from './unknown-store.ts';
import { WorkingStoreView } from './working-store-view.ts';

/** The parts of an application that concern its stores. The tasks are those of this process. */
type Running = readonly [
  topology: Topology,
  topics: { readonly now: TopicsInUse },
  engine: { readonly tasks: ReadonlyMap<string, Task> } | undefined,
  /** Whether the application has ended, so that it has no store open any more. */
  ended?: boolean,
];

/**
 * Provides views of the stores of an application by name.
 *
 * @param now - Returns the current parts of the application, whose tasks come and go.
 * @returns A function that throws ConfigError `ERR_UNKNOWN_STORE`.
 */
export function storeViews(now: () => Running): <K, V>(store: { readonly name: string } | string) => StoreView<K, V> {
  return <K, V>(store: { readonly name: string } | string) => {
    const name = typeof store === 'string' ? store : store.name;
    const [topology] = now();
    const checkOpen = (): void => {
      const [, , , ended] = now();
      if (ended === true) throw storeClosed(name);
    };
    const spec = storedSpecs(topology).get(name);
    if (spec === undefined) {
      const declared = topology.stages.some(({ stores }) => stores.some((use) => use.name === name));
      if (!declared) throw unknownStore(name, topology);
      return new WorkingStoreView<K, V>(name, () => holdersOf(name, now()), checkOpen);
    }
    return new SpecStoreView<K, V>(spec, () => placesOf(name, now()), checkOpen);
  };
}

/** An application that has ended is not an empty store. */
function storeClosed(name: string): FatalError {
  return new FatalError('ERR_STATE_ELSEWHERE', `the application has ended, and store ${name} is closed`, {
    hint: 'read it while the application runs, or read what was committed with readState',
  });
}

function holdersOf(name: string, [, , engine]: Running): Map<number, StateHolder> {
  const here = new Map<number, StateHolder>();
  for (const task of engine?.tasks.values() ?? []) {
    const found = task.stores.find((holder) => holder.name === name);
    if (found !== undefined) here.set(task.partition, found);
  }
  return here;
}

function placesOf(name: string, running: Running): StorePlaces {
  const [{ stages }, topics] = running;
  const here = new Map<number, ByteStore>();
  for (const [partition, holder] of holdersOf(name, running)) {
    const bytes = holder.view?.();
    if (bytes !== undefined) here.set(partition, bytes);
  }
  const stage = stages.find(({ stores }) => stores.some((use) => use.name === name));
  const counts = (stage?.inputs ?? []).flatMap((use) => topics.now.get(use.name)?.partitions ?? []);
  return { here, count: counts.length === 0 ? undefined : Math.max(...counts) };
}
