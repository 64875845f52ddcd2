import { describe, expect, it } from 'vitest';
import type { InputOrigin } from '../dataflow/task-context.ts';
import { RecordError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import { deadLetterOf } from './dead-letter.ts';
import { letterOf } from './read-letter.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const origin: InputOrigin = {
  topic: 'orders',
  partition: 2,
  offset: 7,
  timestamp: 1000,
  key: bytes('ann'),
  value: bytes('{"total":1}'),
  headers: [
    ['trace', bytes('a')],
    ['trace', null],
  ],
};
const error = new RecordError('ERR_USER_CODE', 'no total');
const place = { step: 'mapValues', applicationId: 'shop', stage: 'orders' };
const written = (from: InputOrigin, limits: { maxMessageBytes?: number; compacted?: boolean } = {}) =>
  deadLetterOf(error, place, from, 5000, { topic: 'bad', maxMessageBytes: 10_000, compacted: false, ...limits });

describe('a dead letter that is read', () => {
  it('gives the record back as it was', () => {
    const letter = letterOf(written(origin));
    expect(letter).toMatchObject({
      code: 'ERR_USER_CODE',
      application: 'shop',
      step: 'mapValues',
      origin: { topic: 'orders', partition: 2, offset: 7, timestamp: 1000 },
      cut: false,
      notReplayable: undefined,
    });
    const { headers, key, timestamp, value } = origin;
    expect(letter?.record).toEqual({ key, value, timestamp, headers });
  });

  it('gives a record without a key none, also from a compacted topic, whose letters need one', () => {
    expect(letterOf(written({ ...origin, key: null }, { compacted: true }))?.record.key).toBeNull();
  });

  it('gives a letter back that was put aside itself, with what it said', () => {
    const first = written(origin);
    const again = letterOf(written({ ...origin, ...first, topic: 'bad', offset: 3 }));
    expect(again?.origin).toMatchObject({ topic: 'bad', offset: 3 });
    expect(again?.record.headers).toEqual(first.headers);
    expect(letterOf(again!.record)?.origin).toMatchObject({ topic: 'orders', offset: 7 });
  });

  it('is not replayed where a step has counted the record, but may go elsewhere; also when an inner letter says so', () => {
    const counted = letterOf(written({ ...origin, row: { step: 'aggregate(totals)' } }));
    expect(counted?.notReplayable).toBe('whose record aggregate(totals) has counted already');
    expect(counted?.notWhole).toBeUndefined();
    const inner = written({ ...origin, row: { step: 'aggregate(totals)' } });
    expect(letterOf(written({ ...origin, ...inner }))?.notReplayable).toBeUndefined();
  });

  it.each([
    ['cut', written({ ...origin, value: new Uint8Array(5000) }, { maxMessageBytes: 2000 })],
    [
      'without some of its headers',
      written({ ...origin, headers: [['large', new Uint8Array(5000)]] }, { maxMessageBytes: 2000 }),
    ],
    [
      'with a part of its key',
      written({ ...origin, key: new Uint8Array(1500) }, { maxMessageBytes: 2500, compacted: true }),
    ],
  ])('is not replayed %s', (_, letter) => {
    expect(letterOf(letter)).toMatchObject({ cut: true, origin: { offset: 7 } });
    expect(letterOf(letter)?.notWhole).toContain('only a part');
  });

  it('is not replayed for a batch, or a row', () => {
    expect(letterOf(written({ ...origin, lastOffset: 20 }))?.notWhole).toContain('whole batch');
    const kept = {
      key: 'ann',
      keySerde: string() as Serde<unknown>,
      window: undefined,
      timestamp: 5,
      holds: 'value',
      content: 1,
    } as const;
    expect(letterOf(written({ ...origin, row: { step: 'windowBy(counts)', kept } }))).toMatchObject({
      origin: undefined,
      notWhole: 'of a row that a step had kept, and of no record of a topic',
    });
  });

  it('is none without an error', () => {
    expect(
      letterOf({ key: null, value: null, timestamp: 0, headers: [['millrace.origin.topic', bytes('x')]] }),
    ).toBeUndefined();
  });
});
