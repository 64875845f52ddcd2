import type { StoreBackend } from '../../state/byte-store.ts';

/** The names of an application's stores with entries, as given by its pipelines. */
export function storeNames(stores: StoreBackend, applicationId: string): readonly string[] {
  const names = stores.list(applicationId).map(({ store }) => store);
  // Names that start with # belong to the runtime.
  return [...new Set(names)].filter((name) => !name.startsWith('#')).sort();
}
