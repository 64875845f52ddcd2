import { describe, expect, it } from 'vitest';
import { parseRange, timeOf } from './offsets.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const range = (...texts: readonly string[]): unknown => parseRange(texts, NOW);
const time = (text: string): object => ({ kind: 'time', time: Date.parse(text) });

describe('offsets as kcat and rpk spell them', () => {
  it.each<[readonly string[], object, object?]>([
    [[], { kind: 'start' }],
    [['beginning'], { kind: 'start' }],
    [['start'], { kind: 'start' }],
    [['end'], { kind: 'end' }],
    [['stored'], { kind: 'stored' }],
    [['100'], { kind: 'offset', offset: 100 }],
    [['+100'], { kind: 'afterStart', count: 100 }],
    [['-100'], { kind: 'beforeEnd', count: 100 }],
    [['100:200'], { kind: 'offset', offset: 100 }, { kind: 'offset', offset: 200 }],
    [['100:'], { kind: 'offset', offset: 100 }],
    [[':200'], { kind: 'start' }, { kind: 'offset', offset: 200 }],
    [[':end'], { kind: 'start' }, { kind: 'end' }],
    [['-5:end'], { kind: 'beforeEnd', count: 5 }, { kind: 'end' }],
    [['s@1700000000000'], { kind: 'time', time: 1_700_000_000_000 }],
    [
      ['s@1700000000000', 'e@1700000001000'],
      { kind: 'time', time: 1_700_000_000_000 },
      { kind: 'time', time: 1_700_000_001_000 },
    ],
    [['s@123'], { kind: 'time', time: 123 }],
    [['3', ':5'], { kind: 'offset', offset: 3 }, { kind: 'offset', offset: 5 }],
    [['@1700000000'], { kind: 'time', time: 1_700_000_000_000 }],
    [['@2026-01-30'], time('2026-01-30T00:00:00Z')],
    [['@2026-01-30T10:20:30Z'], time('2026-01-30T10:20:30Z')],
    [['@2026-01-30T10:20:30+02:00:2026-01-31T00:00:00Z'], time('2026-01-30T08:20:30Z'), time('2026-01-31T00:00:00Z')],
    [['@2026-01-30:2026-01-31'], time('2026-01-30T00:00:00Z'), time('2026-01-31T00:00:00Z')],
    [['@-1h'], time('2026-01-31T11:00:00Z')],
    [['@-2d:-1d'], time('2026-01-29T12:00:00Z'), time('2026-01-30T12:00:00Z')],
    [['@-1h:end'], time('2026-01-31T11:00:00Z'), { kind: 'end' }],
  ])('%j', (texts, from, until) => {
    expect(range(...texts)).toEqual({ from, until });
  });

  it.each(['', 'zzz', '1.5', '--1', '1:2:3', '@', '@tomorrow', '@-1y', 's@x', '@123', '@170000000000', '9'.repeat(17)])(
    'refuses %j',
    (text) => {
      expect(() => range(text)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    },
  );

  it('refuses two places to begin', () => {
    expect(() => range('start', 'end')).toThrow('one place to start');
  });

  it('takes times without a zone as UTC', () => {
    expect(timeOf('2026-01-31T12:00', NOW)).toBe(NOW);
    expect(timeOf('2026-02-31', NOW)).not.toBe(NOW);
  });
});
