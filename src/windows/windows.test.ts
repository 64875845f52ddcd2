import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { hopping } from './hopping.ts';
import { tumbling } from './tumbling.ts';
import { closeTime, firstStart, type PeriodicWindower, windowAt } from './windower.ts';

/** The starts of all windows that hold a timestamp, as operators step through them. */
function startsOf(windower: PeriodicWindower, timestamp: number): number[] {
  const starts: number[] = [];
  for (let start = firstStart(windower, timestamp); start <= timestamp; start += windower.advanceMs) starts.push(start);
  return starts;
}

const hop = (size: number, advance: number): PeriodicWindower =>
  hopping({ size: `${size}ms`, advance: `${advance}ms`, grace: '0s' });

describe('windows of a timestamp (TW-1, TW-2)', () => {
  it.each([
    ['hopping 10/5', hop(10, 5), 3, [0]],
    ['hopping 10/5, on a start', hop(10, 5), 10, [5, 10]],
    ['hopping 12/5', hop(12, 5), 21, [10, 15, 20]],
    ['hopping 6/5', hop(6, 5), 7, [5]],
    ['hopping 6/5 in the overlap', hop(6, 5), 5, [0, 5]],
    ['tumbling 12', tumbling({ size: '12ms', grace: '0s' }), 21, [12]],
    ['tumbling 12 at 0', tumbling({ size: '12ms', grace: '0s' }), 0, [0]],
    ['tumbling 12, last instant', tumbling({ size: '12ms', grace: '0s' }), 11, [0]],
    ['tumbling 12, first instant of the next', tumbling({ size: '12ms', grace: '0s' }), 12, [12]],
    ['advance equal to size', hop(10, 10), 19, [10]],
    ['far in the future', tumbling({ size: '1d', grace: '0s' }), Number.MAX_SAFE_INTEGER, [104249991 * 86_400_000]],
  ])('%s', (_name, windower, timestamp, starts) => {
    expect(startsOf(windower, timestamp)).toEqual(starts);
  });

  it('has no negative starts', () => {
    for (let timestamp = 0; timestamp < 30; timestamp += 1) {
      for (const start of startsOf(hop(12, 5), timestamp)) expect(start).toBeGreaterThanOrEqual(0);
    }
  });

  it('closes at the end plus grace, and speaks of [start, end)', () => {
    const windower = tumbling({ size: '10ms', grace: '5ms' });
    expect(closeTime(windower, 20)).toBe(35);
    expect(windowAt(windower, 20)).toEqual({ start: 20, end: 30 });
  });

  it('leaves grace out of the fingerprint, because it may change', () => {
    expect(tumbling({ size: '60s', grace: '1s' }).fingerprint).toBe(tumbling({ size: '1m', grace: '9s' }).fingerprint);
    expect(hop(10, 5).fingerprint).not.toBe(hop(10, 2).fingerprint);
    expect(hop(10, 10).fingerprint).not.toBe(tumbling({ size: '10ms', grace: '0s' }).fingerprint);
  });
});

describe('refused windows', () => {
  const code = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as ConfigError).code;
    }
    return 'nothing';
  };

  it.each<[string, () => unknown, string]>([
    ['a size of 0', () => tumbling({ size: '0s', grace: '0s' }), 'ERR_WINDOW_SIZE'],
    ['an advance of 0', () => hopping({ size: '1s', advance: '0s', grace: '0s' }), 'ERR_WINDOW_SIZE'],
    ['an advance above the size', () => hopping({ size: '1s', advance: '2s', grace: '0s' }), 'ERR_WINDOW_SIZE'],
    ['a negative grace', () => tumbling({ size: '1s', grace: '-1s' }), 'ERR_DURATION'],
    ['a negative size', () => tumbling({ size: '-1s', grace: '0s' }), 'ERR_DURATION'],
    ['a part of a millisecond', () => tumbling({ size: '1.5ms', grace: '0s' }), 'ERR_DURATION'],
    ['less than a millisecond', () => tumbling({ size: '1s', grace: '0.4ms' }), 'ERR_DURATION'],
    ['an exponent', () => tumbling({ size: '1e3ms', grace: '0s' }), 'ERR_DURATION'],
    ['not a number', () => tumbling({ size: `${Number.NaN}s`, grace: '0s' }), 'ERR_DURATION'],
    ['infinity', () => tumbling({ size: `${Number.POSITIVE_INFINITY}s`, grace: '0s' }), 'ERR_DURATION'],
    ['too long for a number', () => tumbling({ size: '999999999999999d', grace: '0s' }), 'ERR_DURATION'],
    // @ts-expect-error a duration has a unit
    ['no unit', () => tumbling({ size: '10', grace: '0s' }), 'ERR_DURATION'],
    // @ts-expect-error a duration is a text
    ['a bare number', () => tumbling({ size: 10, grace: '0s' }), 'ERR_DURATION'],
    // @ts-expect-error grace is required
    ['no grace', () => tumbling({ size: '1s' }), 'ERR_DURATION'],
  ])('%s', (_name, make, expected) => {
    expect(code(make)).toBe(expected);
  });

  it('takes fractions that come to whole milliseconds', () => {
    expect(tumbling({ size: '1.5h', grace: '0.25s' })).toMatchObject({ sizeMs: 5_400_000, graceMs: 250 });
    for (const seconds of [1.1, 2.3, 4.35, 0.001, 8.007]) {
      expect(tumbling({ size: `${seconds}s`, grace: '0s' }).sizeMs).toBe(Math.round(seconds * 1000));
    }
  });
});
