import { describe, expect, it } from 'vitest';
import { noLogger } from '../../log/logger.ts';
import { DEFAULT_TOPIC_CONFIG } from '../../transports/local/topic-config.ts';
import { OldRows } from './old-rows.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 31);

function watch(config: Partial<typeof DEFAULT_TOPIC_CONFIG> = {}) {
  const said: string[] = [];
  const topics = new Map([['out', { config: { ...DEFAULT_TOPIC_CONFIG, ...config } }]]);
  const logger = { ...noLogger, warn: (_: unknown, message?: string) => void said.push(message ?? '') };
  const rows = new OldRows(topics, () => NOW, logger, 'app');
  const write = (maxTimestamp: number, topic = 'out') => rows.look([{ topic, records: { maxTimestamp } }]);
  return { said, write };
}

describe('rows that are older than their topic keeps records', () => {
  it('are said once, with their time, the limit, and what keeps them', () => {
    const { said, write } = watch();
    write(NOW - 169 * HOUR);
    write(NOW - 200 * HOUR);
    expect(said).toEqual([
      'rows for topic out are from 2026-01-23T23:00:00.000Z, but it keeps records for 168 hours after their time: the broker ' +
        "removes such rows soon. Keep them with client.topics.configure('out', { retentionMs: -1 })",
    ]);
  });

  it('are not said of rows within the limit, or without a time, or of unknown topics', () => {
    const { said, write } = watch();
    write(NOW - 168 * HOUR);
    write(-1);
    write(0, 'changelog');
    expect(said).toEqual([]);
  });

  it.each([{ cleanup: 'compact' }, { retentionMs: -1 }] as const)(
    'are not said where none are removed: %o',
    (config) => {
      const { said, write } = watch(config);
      write(0);
      expect(said).toEqual([]);
    },
  );
});
