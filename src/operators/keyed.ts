import type { NodePlace } from '../dataflow/node.ts';
import { ConfigError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';

/** The serde of the keys that reach a stateful step; planning has checked that there is one. */
export function keySerdeOf<K>(place: NodePlace): Serde<K> {
  if (place.keySerde === undefined) {
    throw new ConfigError('ERR_KEY_CHANGED', `${place.step} needs a key`, { stage: place.stage });
  }
  return place.keySerde as Serde<K>;
}

/** The store name identifies the state, so it is required and restricted to characters that every storage supports. */
export function checkStoreName(store: unknown, step: string, option: 'store' | 'name' = 'store'): string {
  if (typeof store === 'string' && /^[a-zA-Z0-9._-]{1,200}$/.test(store)) return store;
  throw new ConfigError('ERR_STORE_NAME', `${step} has the store name ${JSON.stringify(store)}`, {
    hint: `give it a name of letters, digits, ".", "_" and "-", unique in the pipeline: { ${option}: "clicks-per-minute" }`,
  });
}
