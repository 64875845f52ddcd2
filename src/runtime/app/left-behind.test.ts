import { expect, test } from 'vitest';
import type { Transport } from '../../log/transport.ts';
import { VirtualClock } from '../../testing/index.ts';
import { warnOfLeftBehind } from './left-behind.ts';
import { ownerMark } from './own-topics.ts';

/** A log with a topic of the application that nobody reads any more, of which nothing comes. */
const silentLog = (opened: () => void): Transport =>
  ({
    describeGroup: async () => ({ offsets: [{ topic: 'old', partition: 0, offset: 3 }] }),
    topics: { describeAll: async () => new Map([['old', { name: 'old', config: { owner: ownerMark('app') } }]]) },
    offsets: async (_: string, at: string) => new Map([[0, at === 'latest' ? 10 : 0]]),
    fetcher: () => {
      opened();
      return { assign: () => undefined, poll: () => undefined, close: async () => undefined };
    },
  }) as unknown as Transport;

test('a start does not wait for records that do not come, and counts them as unread', async () => {
  const clock = new VirtualClock();
  const warnings: unknown[] = [];
  const logger = { debug() {}, info() {}, warn: (...said: unknown[]) => void warnings.push(said), error() {} };
  let over = false;
  let looked: Promise<void> = Promise.resolve();
  await new Promise<void>((opened) => {
    looked = warnOfLeftBehind({ stages: [] }, silentLog(opened), 'app', logger, clock).then(() => {
      over = true;
    });
  });
  clock.advance(4999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  clock.advance(1);
  await looked;
  expect(warnings).toEqual([
    [{ applicationId: 'app', topic: 'old', records: 7 }, expect.stringContaining('(old/0 from 3 on)')],
  ]);
});
