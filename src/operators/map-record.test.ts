import { mapRecord, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { headers, input, output, shown, texts, thrown } from './operators.fixtures.ts';

const original = { key: 'k', value: 4, timestamp: 77, headers: headers(['h', '1'], ['h', '2']) };

describe('mapRecord', () => {
  it('sets timestamp and headers', () => {
    const driver = new TestDriver(
      input.pipe(
        mapRecord(({ value }) => ({ key: 'n', value, timestamp: 5, headers: headers(['new', 'x']) })),
        to(output),
      ),
    );
    driver.pipe(input, original);
    const rows = driver.read(output);
    expect(shown(rows)).toEqual(['n=4@5']);
    expect(texts(rows[0]?.headers ?? [])).toEqual({ new: 'x' });
  });

  it.each([-1, -0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses the timestamp %s', (timestamp) => {
    const bad = input.pipe(
      mapRecord(({ key, value }) => ({ key, value, timestamp })),
      to(output),
    );
    const driver = new TestDriver(bad, { onRecordError: 'skip' });
    driver.pipe(input, original);
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
    expect(thrown(() => new TestDriver(bad).pipe(input, original))).toMatchObject({ code: 'ERR_TIMESTAMP' });
  });

  it('takes 0 for a timestamp', () => {
    const driver = new TestDriver(
      input.pipe(
        mapRecord(({ key, value }) => ({ key, value, timestamp: 0 })),
        to(output),
      ),
    );
    driver.pipe(input, original);
    expect(shown(driver.read(output))).toEqual(['k=4@0']);
  });
});
