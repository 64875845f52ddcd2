export { type EmbeddedLogTransport, type EmbeddedOptions, embeddedTransport } from './embedded-transport.ts';
export { type LmdbStoreFolder, lmdbStores } from './lmdb-stores.ts';
export { type SalvageReport, salvage } from './salvage.ts';
export type { LostRecords } from './survey.ts';
export type { Durability } from './writer.ts';
