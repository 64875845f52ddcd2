import type { TopicConfig } from '../../runtime/transport.ts';
import { DEFAULT_TOPIC_CONFIG, type FullTopicConfig } from '../local/topic-config.ts';
import type { ConfigEntry } from './wire/topic-requests.ts';

const NAMES: { readonly [F in keyof Omit<FullTopicConfig, 'owner'>]: string } = {
  cleanup: 'cleanup.policy',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  maxMessageBytes: 'max.message.bytes',
  minCompactionLagMs: 'min.compaction.lag.ms',
};

/**
 * Kafka keeps no notes with a topic, so the mark of its owner is in the one setting that means nothing where nothing is
 * compacted. A number that nobody would choose: some 2,700 years.
 */
const MARK = 'delete.retention.ms';
const MARK_BASE = 0x4d52 * 2 ** 32;

/** All settings that a configuration is read from. */
export const CONFIG_NAMES: readonly string[] = [...Object.values(NAMES), MARK];

/** The given fields by Kafka's names. */
export function toConfigs(config: TopicConfig): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const [field, name] of Object.entries(NAMES)) {
    const value = config[field as keyof typeof NAMES];
    if (value !== undefined) entries.push({ name, value: String(value) });
  }
  if (config.owner !== undefined)
    entries.push({ name: MARK, value: String(MARK_BASE + Number.parseInt(config.owner, 16)) });
  return entries;
}

/** The configuration that a broker describes. */
export function fromConfigs(entries: readonly ConfigEntry[]): FullTopicConfig {
  const find = (wanted: string): string | null | undefined => entries.find(({ name }) => name === wanted)?.value;
  const value = (field: keyof typeof NAMES): string => find(NAMES[field]) ?? String(DEFAULT_TOPIC_CONFIG[field]);
  const policies = new Set(
    value('cleanup')
      .split(',')
      .map((policy) => policy.trim()),
  );
  const mark = Number(find(MARK) ?? 0) - MARK_BASE;
  return {
    cleanup: !policies.has('compact') ? 'delete' : policies.has('delete') ? 'compact,delete' : 'compact',
    retentionMs: Number(value('retentionMs')),
    retentionBytes: Number(value('retentionBytes')),
    maxMessageBytes: Number(value('maxMessageBytes')),
    minCompactionLagMs: Number(value('minCompactionLagMs')),
    ...(mark >= 0 && mark < 2 ** 32 ? { owner: mark.toString(16).padStart(8, '0') } : {}),
  };
}
