import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { sharedOwners, topicOwners } from '../runtime/topic-owners.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

topicOwners(async () => ({ open, cleanup: async () => undefined }));
sharedOwners(async () => ({ open, cleanup: async () => undefined }));
