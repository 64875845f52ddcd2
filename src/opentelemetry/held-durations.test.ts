import { expect, it } from 'vitest';
import { HeldDurations } from './held-durations.ts';

it('hands durations over together, in seconds, each once', () => {
  const seconds: number[] = [];
  const held = new HeldDurations((each) => void seconds.push(each));
  held.add(1500);
  held.add(20);
  expect(seconds).toEqual([]);
  held.flush();
  held.flush();
  expect(seconds).toEqual([1.5, 0.02]);
});

it('hands them over when there are many, also if nobody asks', () => {
  const seconds: number[] = [];
  const held = new HeldDurations((each) => void seconds.push(each));
  const all = Array.from({ length: 1000 }, (_, n) => n / 1000);
  for (const each of all) held.add(each * 1000);
  expect(seconds.length).toBeGreaterThan(700);
  held.flush();
  expect(seconds).toEqual(all.map((each) => (each * 1000) / 1000));
});
