import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { patternSources } from '../runtime/pattern-sources.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

patternSources(async () => ({ open, cleanup: async () => undefined }));
