import { MemoryLog, memoryTransport } from '../../src/transports/memory/index.ts';
import { contractSuite } from './suite.ts';

contractSuite('memory', async () => ({ open: memoryTransport(new MemoryLog()), cleanup: async () => undefined }), {
  modelRuns: 300,
});
