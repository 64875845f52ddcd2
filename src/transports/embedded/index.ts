export { type EmbeddedLogTransport, type EmbeddedOptions, embeddedTransport } from './embedded-transport.ts';
export type { Durability } from './writer.ts';
