import type { StoreBackend } from '../../state/byte-store.ts';

/** The stores of an application that hold something, by the names that its pipelines gave them. */
export function storeNames(stores: StoreBackend, applicationId: string): readonly string[] {
  const names = stores.list(applicationId).map(({ store }) => store);
  // Those that begin like this are the runtime's own.
  return [...new Set(names)].filter((name) => !name.startsWith('#')).sort();
}
