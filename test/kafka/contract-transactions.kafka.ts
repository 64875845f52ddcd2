import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { contractSuite } from '../contract/suite.ts';

const open = kafkaTransport({
  brokers: inject('brokers'),
  guarantee: 'exactly-once',
  heartbeatIntervalMs: 50,
  sessionTimeoutMs: 6000,
});

// Without the model: the markers of transactions take offsets of their own, so that offsets are not those of an array.
contractSuite('kafka, exactly-once', async () => ({ open, cleanup: async () => undefined }), {
  exclusiveGroups: false,
  modelRuns: 0,
});
