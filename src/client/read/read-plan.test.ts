import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../errors.ts';
import { json, string } from '../../serdes/index.ts';
import { topic } from '../../streams/topic.ts';
import type { ReadOptions } from './read-options.ts';
import { type AnyTopic, readPlan } from './read-plan.ts';

const orders = topic('orders', { key: string(), value: json() });
const refunds = topic('refunds', { value: json() });

function refusal(options: object, topics: unknown = orders): string {
  try {
    readPlan(topics as AnyTopic, options);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('readPlan', () => {
  it('has defaults for everything', () => {
    expect(readPlan(orders)).toEqual({
      step: 'records(orders)',
      topics: [orders.use],
      pattern: undefined,
      from: 'latest',
      until: undefined,
      partitions: undefined,
      onRecordError: undefined,
      outOfRange: 'fail',
      isolation: 'committed',
      metadataMaxAgeMs: undefined,
      signal: undefined,
      group: undefined,
      explicit: false,
      commitMs: 1000,
    });
  });

  it('takes a pattern without what it remembers', () => {
    const { pattern, step } = readPlan(/^ord/g, { value: json(), key: string() } as ReadOptions);
    expect(step).toBe('records(/^ord/g)');
    expect(['orders', 'orders', 'refunds'].map((name) => pattern?.test(name))).toEqual([true, true, false]);
  });

  it.each<[object, string]>([
    [{ form: 'earliest' }, 'did you mean from?'],
    [{ from: 'beginning' }, "from is \"beginning\" – give one of 'earliest', 'latest'"],
    [{ from: 3 }, 'from is 3'],
    [{ from: { offset: -1 } }, 'from.offset is -1 – give a whole number, 0 or more'],
    [{ from: { offset: 1, time: 2 } }, 'give one of offset, offsets, time'],
    [{ from: { ofset: 1 } }, 'did you mean offset?'],
    [{ from: { time: new Date('nonsense') } }, 'from.time is NaN'],
    [{ from: { offsets: new Map([[0, -5]]) } }, 'an offset of from.offsets is -5'],
    [{ from: { offsets: 7 } }, 'offsets are 7'],
    [{ until: 'latest' }, 'until is "latest" – give one of \'end\''],
    [{ partitions: [0, 1.5] }, 'a partition is 1.5'],
    [{ group: 'g', partitions: [0] }, 'group and partitions are both given – a group shares all partitions'],
    [{ group: '' }, 'give the group a name'],
    [{ commit: 'explicit' }, "add group: 'billing'"],
    [{ group: 'g', commit: 'manual' }, "give one of 'auto', 'explicit'"],
    [{ group: 'g', commit: 'explicit', commitInterval: '1s' }, 'the interval applies to automatic commits only'],
    [{ group: 'g', commitInterval: '1 second' }, "such as '500ms'"],
    [{ outOfRange: 'ignore' }, "give one of 'fail', 'earliest', 'latest'"],
    [{ onRecordError: 'ignore' }, "give one of 'fail', 'skip'"],
    [{ value: json() }, 'no option value'],
  ])('refuses %j', (options, message) => {
    expect(refusal(options)).toContain(message);
  });

  it('refuses what is no topic, and offsets of several', () => {
    expect(refusal({}, 'orders')).toContain('"orders" is not a topic – say how its records are read');
    expect(refusal({}, [])).toContain('no topic is given');
    expect(refusal({}, /^orders/)).toContain('client.records(/^orders-/, { value: json() })');
    expect(refusal({ from: { offsets: [1] } }, [orders, refunds])).toContain('read one topic, or start from a time');
  });
});
