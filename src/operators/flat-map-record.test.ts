import { flatMapRecord, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { headers, input, output, shown, thrown } from './operators.fixtures.ts';

const original = { key: 'k', value: 4, timestamp: 77, headers: headers(['h', '1'], ['h', '2']) };

describe('flatMapRecord', () => {
  it('gives records in the order in which they are made, with their own keys and times', () => {
    const driver = new TestDriver(
      input.pipe(
        flatMapRecord(function* ({ value }) {
          yield { key: 'a', value, timestamp: 9 };
          yield { key: 'b', value, timestamp: 8 };
        }),
        to(output),
      ),
    );
    driver.pipe(input, original);
    expect(shown(driver.read(output))).toEqual(['a=4@9', 'b=4@8']);
  });

  it('gives none at all when making them throws midway, or one of them has a bad timestamp', () => {
    const makers = [
      flatMapRecord(function* () {
        yield { key: 'a', value: 1 };
        throw new Error('midway');
      }),
      flatMapRecord(() => [
        { key: 'a', value: 1 },
        { key: 'b', value: 2, timestamp: -1 },
      ]),
    ];
    for (const make of makers) {
      const driver = new TestDriver(input.pipe(make as never, to(output)), { onRecordError: 'skip' });
      driver.pipe(input, original);
      expect(driver.read(output)).toEqual([]);
      expect(driver.tasks()[0]?.skipped).toBe(1);
    }
    const failing = new TestDriver(input.pipe(makers[1] as never, to(output)));
    expect(thrown(() => failing.pipe(input, original)).code).toBe('ERR_TIMESTAMP');
  });
});
