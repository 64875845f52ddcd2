import { describe, expect, it } from 'vitest';
import { connect, deadLetter, json, memoryTransport, run, string, table, to, topic } from '../index.ts';
import { thrown } from '../operators/operators.fixtures.ts';
import { TestDriver } from '../testing/index.ts';
import type { RecordPolicy } from './record-policy.ts';

const value = json<number>();
const bad = topic('bad-orders', { value });

describe('deadLetter', () => {
  it('takes a topic by its name, or as it was declared', () => {
    expect(deadLetter('bad-orders')).toEqual({ deadLetter: 'bad-orders' });
    expect(deadLetter(bad, { retention: '7d' })).toEqual({ deadLetter: 'bad-orders', retention: '7d' });
  });

  it.each([[undefined], [5], [null], [{}], [() => 'bad']])('refuses %s', (given) => {
    expect(thrown(() => deadLetter(given as never))).toMatchObject({ code: 'ERR_OPTION' });
  });

  it('refuses a name that cannot be that of a topic where it is used, and other options', () => {
    const onRecordError = deadLetter('bad orders');
    expect(thrown(() => topic('orders', { value, onRecordError }))).toMatchObject({ code: 'ERR_TOPIC_NAME' });
    expect(thrown(() => deadLetter('bad', { retain: '7d' } as never)).message).toContain('no option retain');
    expect(thrown(() => deadLetter('bad', 7 as never)).message).toContain('the options are 7');
  });
});

describe('a policy', () => {
  const given: [unknown, RegExp][] = [
    ['ignore', /onRecordError is "ignore" – give one of 'fail', 'skip', deadLetter/],
    [deadLetter, /onRecordError is the function deadLetter/],
    [true, /onRecordError is true/],
    [null, /onRecordError is null/],
    [{ deadletter: 'bad' }, /no option deadletter – did you mean deadLetter/],
    [{}, /does not name a dead-letter topic/],
    [{ deadLetter: bad }, /does not name a dead-letter topic/],
  ];

  it.each(given)('is refused wherever it is given: %s', async (policy, message) => {
    const onRecordError = policy as RecordPolicy;
    const source = topic('orders', { key: string(), value });
    const pipeline = source.pipe(to(topic('totals', { key: string(), value })));
    const client = await connect({ transport: memoryTransport() });
    for (const attempt of [
      () => topic('orders', { value, onRecordError }),
      () => table('users', { key: string(), value, onRecordError }),
      () => run(pipeline, { applicationId: 'a', transport: memoryTransport(), onRecordError }),
      () => new TestDriver(pipeline, { onRecordError }),
      () => client.records(source, { onRecordError }),
    ]) {
      expect(thrown(attempt)).toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) as string });
    }
    await client.close();
  });
});
