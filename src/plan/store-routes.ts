import type { StoreRoutes } from '../log/store-trail.ts';
import type { Stage } from './stages.ts';

/** How the records that a stage reads come to its own stores, and through its outputs to those of other stages. */
export function storeRoutes(stage: Stage, stages: readonly Stage[]): StoreRoutes {
  const behind = new Map<string, string[]>();
  const outputs = [...new Set(stage.outputs.map(({ name }) => name))];
  for (const output of outputs) {
    for (const store of storesAfter(output, stages)) behind.set(store, [...(behind.get(store) ?? []), output]);
  }
  const stores = stage.stores.map(({ name }) => name);
  for (const name of stores) behind.delete(name);
  return { stores, outputs, behind };
}

function storesAfter(topic: string, stages: readonly Stage[]): ReadonlySet<string> {
  const stores = new Set<string>();
  const topics = new Set([topic]);
  // A set visits what is added while it is read.
  for (const name of topics) {
    for (const stage of stages) {
      if (!stage.inputs.some((use) => use.name === name)) continue;
      for (const store of stage.stores) stores.add(store.name);
      for (const output of stage.outputs) topics.add(output.name);
    }
  }
  return stores;
}
