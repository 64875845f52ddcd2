import { INPUTS_STORE } from '../runtime/task/state-positions.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import { memoryStores } from '../state/memory-backend.ts';

/**
 * Stores that a driver was given, possibly with state from another one. How far inputs were read goes with the log that they
 * were read from, and every driver has its own: that is kept beside them.
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
