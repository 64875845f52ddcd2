import { INPUTS_STORE } from '../runtime/task/state-positions.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import { memoryStores } from '../state/memory-backend.ts';

/**
 * Stores that a driver was given, possibly with state from another driver. Input positions belong to the log of a
 * driver, and every driver has its own log, so they are kept separately.
 */
export function borrowedStores(given: StoreBackend): StoreBackend {
  const positions = memoryStores();
  return {
    list: (applicationId) => given.list(applicationId),
    check: (writes) => given.check(writes),
    open: (id) => (id.store === INPUTS_STORE ? positions : given).open(id),
    apply(writes) {
      given.apply(writes.filter(({ id }) => id.store !== INPUTS_STORE));
      positions.apply(writes.filter(({ id }) => id.store === INPUTS_STORE));
    },
  };
}
