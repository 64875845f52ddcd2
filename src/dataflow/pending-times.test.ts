import { expect, it } from 'vitest';
import { PendingTimes, TimeBelow } from './pending-times.ts';

it('knows the oldest of what is still there, and says when it rises', () => {
  const times = new PendingTimes();
  expect(times.oldest).toBe(Number.POSITIVE_INFINITY);
  for (const time of [5, 9, 7, 5, 20, 0]) times.add(time);
  expect(times.oldest).toBe(0);
  expect(times.remove(20)).toBe(false);
  expect([times.remove(0), times.oldest]).toEqual([true, 5]);
  expect([times.remove(5), times.oldest]).toEqual([false, 5]);
  expect([times.remove(5), times.oldest]).toEqual([true, 7]);
  expect([times.remove(9), times.oldest]).toEqual([false, 7]);
  expect([times.remove(7), times.oldest]).toEqual([true, Number.POSITIVE_INFINITY]);
});

it('holds back the time of steps below, like the limit of the task', () => {
  const task = { limit: 10 };
  const [first, second] = [new PendingTimes(), new PendingTimes()];
  const time = new TimeBelow(task, [first, second]);
  expect(time.limit).toBe(10);
  first.add(12);
  expect(time.limit).toBe(10);
  second.add(4);
  expect(time.limit).toBe(4);
  task.limit = 3;
  expect(time.limit).toBe(3);
});
