import type { TopicConfig } from '../../runtime/transport.ts';
import { DEFAULT_TOPIC_CONFIG, type FullTopicConfig } from '../local/topic-config.ts';
import type { ConfigEntry } from './wire/topic-requests.ts';

const NAMES: { readonly [F in keyof FullTopicConfig]: string } = {
  cleanup: 'cleanup.policy',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  maxMessageBytes: 'max.message.bytes',
  minCompactionLagMs: 'min.compaction.lag.ms',
};

/** The given fields by Kafka's names. */
export function toConfigs(config: TopicConfig): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const [field, name] of Object.entries(NAMES)) {
    const value = config[field as keyof TopicConfig];
    if (value !== undefined) entries.push({ name, value: String(value) });
  }
  return entries;
}

/** The configuration that a broker describes. */
export function fromConfigs(entries: readonly ConfigEntry[]): FullTopicConfig {
  const value = (field: keyof FullTopicConfig): string =>
    entries.find(({ name }) => name === NAMES[field])?.value ?? String(DEFAULT_TOPIC_CONFIG[field]);
  const policies = new Set(
    value('cleanup')
      .split(',')
      .map((policy) => policy.trim()),
  );
  return {
    cleanup: !policies.has('compact') ? 'delete' : policies.has('delete') ? 'compact,delete' : 'compact',
    retentionMs: Number(value('retentionMs')),
    retentionBytes: Number(value('retentionBytes')),
    maxMessageBytes: Number(value('maxMessageBytes')),
    minCompactionLagMs: Number(value('minCompactionLagMs')),
  };
}
