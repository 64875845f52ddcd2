import { expect, test } from 'vitest';
import type { Task } from '../task/task.ts';
import { whyUnread } from './why-unread.ts';

const task = (empty: boolean, position: number): Task =>
  ({ id: 'clicks/1', partition: 1, inputs: [{ empty, position, use: { name: 'clicks' } }] }) as unknown as Task;

test.each([
  ['has records at hand', task(false, 5), 9, 'for 2 s for its turn, with clicks/1 at offset 5'],
  ['has none at hand', task(true, 5), 9, 'for 2 s for records of clicks/1 from offset 5 to 9'],
  ['does not know whether there are any', task(true, 5), undefined, 'for 2 s to hear where clicks/1 ends'],
])('a task that does not go on and %s says so', (_, stuck, end, reason) => {
  const after = (ms: number): string[] => whyUnread([stuck], { standsFor: () => ms }, { endOffset: () => end });
  expect(after(2500)).toEqual([`task clicks/1 has waited ${reason}`]);
  expect(after(900), 'not at once').toEqual([]);
});

test('a task that has read everything waits for nothing', () => {
  expect(whyUnread([task(true, 9)], { standsFor: () => 60_000 }, { endOffset: () => 9 })).toEqual([]);
});
