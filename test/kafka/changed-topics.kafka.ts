import { inject } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { changedTopics } from '../runtime/changed-topics.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

// A broker forgets the offsets of a topic that is deleted.
changedTopics(async () => ({ open, cleanup: async () => undefined }), { remembersDeleted: false });
