import { describe, inject } from 'vitest';
import { idleTests } from '../runtime/idle.ts';

describe('on Kafka', { timeout: 90_000 }, () => {
  idleTests(() => ({ brokers: inject('brokers') }));
});
