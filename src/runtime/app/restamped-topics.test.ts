import { describe, expect, it } from 'vitest';
import { countByKey, json, keyBy, string, through, to, topic } from '../../index.ts';
import { noLogger } from '../../log/logger.ts';
import { plan } from '../../plan/topology.ts';
import { DEFAULT_TOPIC_CONFIG } from '../../transports/local/topic-config.ts';
import { warnOfRestamping } from './restamped-topics.ts';

const source = topic('source', { key: string(), value: json<number>() });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const pipeline = source.pipe(
  keyBy((n) => `k${n % 3}`),
  through(shuffle),
  countByKey({ store: 'counts' }),
  to(out),
);

/** The warnings of a start with these topics, some of which replace timestamps. */
function warningsOf(restamped: readonly string[]): string[] {
  const topics = ['source', 'shuffle', 'out', 'app-counts-changelog'].map((name) => {
    const config = restamped.includes(name) ? { ...DEFAULT_TOPIC_CONFIG, restamps: true } : DEFAULT_TOPIC_CONFIG;
    return [name, { name, partitions: 1, config }] as const;
  });
  const warnings: string[] = [];
  const logger = { ...noLogger, warn: (_: object, message?: string) => void warnings.push(message ?? '') };
  warnOfRestamping(plan(pipeline, 'app'), new Map(topics), 'app', logger);
  return warnings;
}

describe('topics that replace the timestamps of records', () => {
  it('are warned of where the application writes them, with what is lost', () => {
    const [toReader, toBoth, toStore] = ['out', 'shuffle', 'app-counts-changelog'].map((name) => warningsOf([name]));
    expect(toReader).toEqual([
      expect.stringMatching(/^topic out replaces .* so its readers do not find the time of events/),
    ]);
    expect(toBoth).toEqual([
      expect.stringMatching(/^topic shuffle replaces .* so what reads it again finds that time/),
    ]);
    expect(toStore).toEqual([
      expect.stringMatching(/^topic app-counts-changelog replaces .* so at least once late writes/),
    ]);
    expect(warningsOf(['shuffle', 'out'])).toHaveLength(2);
  });

  it('are not warned of where they are only read, nor where timestamps are kept', () => {
    expect(warningsOf(['source'])).toEqual([]);
    expect(warningsOf([])).toEqual([]);
  });
});
