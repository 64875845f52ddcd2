import { MemoryLog, memoryTransport } from '../../src/transports/memory/index.ts';
import { clientSuite } from './suite.ts';

clientSuite('memory', async () => ({ open: memoryTransport(new MemoryLog()), cleanup: async () => undefined }));
