export { type EmbeddedLogTransport, type EmbeddedOptions, embeddedTransport } from './embedded-transport.ts';
export { type SalvageReport, salvage } from './salvage.ts';
export type { LostRecords } from './survey.ts';
export type { Durability } from './writer.ts';
