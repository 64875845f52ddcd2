import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../dataflow/clock.ts';
import { Throttles } from './throttles.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

it('leaves a broker alone for as long as it asked, and says so', () => {
  const throttles = new Throttles(systemClock);
  expect(throttles.waitingFor('read from')).toBeUndefined();
  throttles.heard(1, 500);
  throttles.heard(2, 0);
  expect(throttles.until(1)).toBe(performance.now() + 500);
  expect(throttles.until(2)).toBe(0);
  vi.advanceTimersByTime(100);
  expect(throttles.waitingFor('read from')).toBe('a quota of the brokers: it may read from broker 1 again in 400 ms');
  vi.advanceTimersByTime(400);
  expect(throttles.waitingFor('read from')).toBeUndefined();
});

it('takes the later end of two pauses', () => {
  const throttles = new Throttles(systemClock);
  throttles.heard(1, 500);
  throttles.heard(1, 100);
  expect(throttles.until(1)).toBe(performance.now() + 500);
});
