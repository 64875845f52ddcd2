export { MemoryLog, type MemoryLogOptions } from './memory-log.ts';
export type { PreparedBatch } from './memory-partition.ts';
export { memoryTransport } from './memory-transport.ts';
