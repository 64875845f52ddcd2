import { describe, expect, it } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

describe('virtual clock', () => {
  it('stands still until it is advanced', () => {
    const clock = new VirtualClock(5_000);
    expect([clock.now(), clock.monotonic()]).toEqual([5_000, 0]);
    clock.advance(20);
    expect([clock.now(), clock.monotonic()]).toEqual([5_020, 20]);
  });

  it('fires timers in the order of their times, then of their making, at their own time', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const timer = (name: string, ms: number): void => void clock.after(ms, () => fired.push(`${name}@${clock.now()}`));
    timer('b', 20);
    timer('a', 10);
    timer('b2', 20);
    timer('later', 31);
    timer('past', -5);
    clock.advance(30);
    expect(fired).toEqual(['past@0', 'a@10', 'b@20', 'b2@20']);
    clock.advance(1);
    expect(fired.at(-1)).toBe('later@31');
  });

  it('fires timers that timers set, when they fall into the same advance', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
  });

  it('forgets cancelled timers, and takes a late cancel', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const cancel = clock.after(10, () => fired.push('cancelled'));
    const late = clock.after(10, () => fired.push('kept'));
    cancel();
    cancel();
    clock.advance(10);
    late();
    expect(fired).toEqual(['kept']);
  });

  it('never goes back when a timer advances it too', () => {
    const clock = new VirtualClock();
    clock.after(10, () => clock.advance(100));
    clock.advance(20);
    expect(clock.now()).toBe(110);
  });
});
