import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { contractSuite } from '../contract/suite.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

contractSuite('kafka', async () => ({ open, cleanup: async () => undefined }), {
  exclusiveGroups: false,
  modelRuns: 15,
});
