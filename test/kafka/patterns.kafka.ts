import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { patternSuite } from '../client/patterns.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

patternSuite(async () => ({ open, cleanup: async () => undefined }));
