import type { TopicConfig } from '../../log/transport.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import { DEFAULT_TOPIC_CONFIG, type FullTopicConfig } from '../local/topic-config.ts';
import type { ConfigEntry } from './wire/topic-requests.ts';

const NAMES: { readonly [F in keyof Omit<FullTopicConfig, 'claim' | 'owner' | 'restamps' | 'tombstoneMs'>]: string } = {
  cleanup: 'cleanup.policy',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  maxMessageBytes: 'max.message.bytes',
  minCompactionLagMs: 'min.compaction.lag.ms',
};

/**
 * Kafka has no place for notes on a topic, so the mark of its owner is stored in a setting without effect: the
 * tombstone time of an uncompacted topic, or the retention of a topic with compaction only. The values are ones that
 * nobody would choose: some 2,700 years.
 */
const MARK = 'delete.retention.ms';
const COMPACTED_MARK = NAMES.retentionMs;
const OWNER_BASE = 0x4d52 * 2 ** 32;
const CLAIM_BASE = 0x4d53 * 2 ** 32;

const TIMESTAMPS = 'message.timestamp.type';

/** All settings from which a configuration is read. */
export const CONFIG_NAMES: readonly string[] = [...Object.values(NAMES), MARK, TIMESTAMPS];

/**
 * The settings of a new topic. Its records keep the timestamps that they are written with, also where the broker's default is to
 * replace them: event time goes through topics, and the timestamps of a changelog say who has written it.
 */
export function newConfigs(config: TopicConfig): ConfigEntry[] {
  return [...toConfigs(config), { name: TIMESTAMPS, value: 'CreateTime' }];
}

/** The given fields with Kafka's names. */
export function toConfigs(config: TopicConfig): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const [field, name] of Object.entries(NAMES)) {
    const value = config[field as keyof typeof NAMES];
    if (value !== undefined) entries.push({ name, value: String(value) });
  }
  if (config.tombstoneMs !== undefined) entries.push({ name: MARK, value: String(config.tombstoneMs) });
  if (config.owner !== undefined) entries.push(markEntry(MARK, OWNER_BASE, config.owner));
  if (config.claim !== undefined) entries.push(...claimEntries(config, config.claim));
  return entries;
}

/** The settings that mark a topic as written and read by an application; empty if the topic has no unused setting. */
export function claimEntries({ cleanup = 'delete', retentionMs }: TopicConfig, claim: string): ConfigEntry[] {
  if (cleanup === 'delete') return [markEntry(MARK, CLAIM_BASE, claim)];
  if (cleanup === 'compact' && retentionMs === undefined) return [markEntry(COMPACTED_MARK, CLAIM_BASE, claim)];
  return [];
}

/** The settings that remove the mark of a topic. */
export function unmarkEntries({ claim, cleanup, owner }: FullTopicConfig): ConfigEntry[] {
  if (owner === undefined && claim === undefined) return [];
  if (cleanup !== 'compact') return [{ name: MARK, value: null }];
  return [{ name: COMPACTED_MARK, value: String(DEFAULT_TOPIC_CONFIG.retentionMs) }];
}

/**
 * Extra changes for a configuration change after which the marked setting would have an effect: the mark is removed.
 */
export function unmarkBefore(before: FullTopicConfig, change: TopicConfig): ConfigEntry[] {
  const moves = change.cleanup !== undefined && change.cleanup !== before.cleanup;
  if (!moves && (before.cleanup !== 'compact' || change.retentionMs === undefined)) return [];
  return unmarkEntries(before);
}

function markEntry(name: string, base: number, mark: string): ConfigEntry {
  return { name, value: String(base + Number.parseInt(mark, 16)) };
}

function markIn(value: string | null | undefined, base: number): string | undefined {
  const mark = Number(value ?? 0) - base;
  return mark >= 0 && mark < 2 ** 32 ? mark.toString(16).padStart(8, '0') : undefined;
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
  const cleanup = !policies.has('compact') ? 'delete' : policies.has('delete') ? 'compact,delete' : 'compact';
  const place = cleanup === 'compact' ? COMPACTED_MARK : MARK;
  const owner = markIn(find(MARK), OWNER_BASE);
  const claim = markIn(find(place), CLAIM_BASE);
  const tombstoneMs = cleanup === 'compact' ? Number(find(MARK) ?? TOMBSTONE_MS) : TOMBSTONE_MS;
  const marked = claim !== undefined && place === COMPACTED_MARK;
  return {
    cleanup,
    retentionMs: marked ? DEFAULT_TOPIC_CONFIG.retentionMs : Number(value('retentionMs')),
    retentionBytes: Number(value('retentionBytes')),
    maxMessageBytes: Number(value('maxMessageBytes')),
    minCompactionLagMs: Number(value('minCompactionLagMs')),
    ...(owner === undefined ? {} : { owner }),
    ...(claim === undefined ? {} : { claim }),
    ...(tombstoneMs === TOMBSTONE_MS ? {} : { tombstoneMs }),
    ...(find(TIMESTAMPS) === 'LogAppendTime' ? { restamps: true } : {}),
  };
}
