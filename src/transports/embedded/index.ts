export type { Durability } from '../../options/durability.ts';
export type { LocalStores, OpenLocalStores } from '../../state/byte-store.ts';
export type { EmbeddedLogTransport } from './embedded-log-transport.ts';
export { type EmbeddedOptions, embeddedTransport } from './embedded-transport.ts';
export { lmdbStores } from './lmdb-stores.ts';
export { localStores } from './local-stores.ts';
export { type SalvageReport, salvage } from './salvage.ts';
export type { LostRecords } from './survey.ts';
