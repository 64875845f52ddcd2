import { describe, inject } from 'vitest';
import { timestampTests } from '../runtime/timestamps.ts';

describe('on Kafka', { timeout: 60_000 }, () => {
  timestampTests(() => ({ brokers: inject('brokers') }));
});
