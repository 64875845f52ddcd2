export { MemoryLog, type MemoryLogOptions } from './memory-log.ts';
export { MemoryTaskLog } from './memory-task-log.ts';
export { memoryTransport } from './memory-transport.ts';
