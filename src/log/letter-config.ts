import { durationMs } from '../options/duration.ts';
import type { RecordPolicy } from '../options/record-policy.ts';
import type { TopicConfig } from '../options/topic-config.ts';
import { isDeadLetter } from './record-failures.ts';

/** The configuration of a dead-letter topic: letters are kept forever, unless their policy says otherwise. */
export function deadLetterConfig(policy: RecordPolicy): TopicConfig {
  const retention = isDeadLetter(policy) ? policy.retention : undefined;
  return {
    retentionMs: retention === undefined || retention === 'unlimited' ? -1 : durationMs(retention, 'retention'),
  };
}
