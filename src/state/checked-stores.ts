import { MillraceError } from '../errors.ts';
import type { StoreBackend, StoreCheck } from './byte-store.ts';

/** Stores, some of which check each change when it is made. @param checkOf - The check of a store, by its name. */
export function checkedStores(backend: StoreBackend, checkOf: (store: string) => StoreCheck | undefined): StoreBackend {
  return {
    open(id) {
      const store = backend.open(id);
      const check = checkOf(id.store);
      if (check === undefined) return store;
      return {
        id: store.id,
        get: (key) => store.get(key),
        range: (from, to) => store.range(from, to),
        keys: (from, to) => store.keys(from, to),
        check,
      };
    },
    list: (applicationId) => backend.list(applicationId),
    check: (writes) => backend.check(writes),
    apply: (writes) => backend.apply(writes),
  };
}

/**
 * A commit has found an entry that cannot be written. The record that caused it is no longer known, and rows derived
 * from it may be in the same commit. So all work of the commit is redone, with each change of the store checked when it
 * is made.
 */
export class UnwritableState extends MillraceError {
  readonly store: string;

  constructor(store: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('abortable', 'ERR_STATE_REFUSED', `store ${store} has an entry that cannot be written: ${reason}`, {
      cause,
      hint: 'uncommitted records are processed again, and the record that causes the entry goes to the record policy',
    });
    this.store = store;
  }
}

/**
 * The error for an entry that cannot be written. Errors about the storage rather than the entry are returned unchanged.
 */
export function unwritable(store: string, error: unknown): unknown {
  return error instanceof MillraceError && error.errorClass !== 'record' ? error : new UnwritableState(store, error);
}
