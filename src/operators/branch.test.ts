import { branch, mapValues, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { input, other, output, thrown } from './operators.fixtures.ts';

describe('branch', () => {
  const of = (n: number | null): number => n ?? 0;
  const records = [1, 2, 7, 8].map((value) => ({ key: 'k', value, timestamp: value }));

  it('sends each record to the first branch that takes it, else to the default', () => {
    const { big, even, rest } = branch(
      input,
      { even: (r) => of(r.value) % 2 === 0, big: (r) => of(r.value) > 5 },
      'rest',
    );
    const driver = new TestDriver([
      even.pipe(
        mapValues((n) => `even${n}`),
        to(output),
      ),
      big.pipe(
        mapValues((n) => `big${n}`),
        to(output),
      ),
      rest.pipe(
        mapValues((n) => `rest${n}`),
        to(other),
      ),
    ]);
    driver.pipeAll(input, records);
    expect(driver.read(output).map(({ value }) => value)).toEqual(['even2', 'big7', 'even8']);
    expect(driver.read(other).map(({ value }) => value)).toEqual(['rest1']);
  });

  it('drops what no branch takes when there is no default', () => {
    const { even } = branch(input, { even: (r) => of(r.value) % 2 === 0 });
    const driver = new TestDriver(even.pipe(to(output)));
    driver.pipeAll(input, records);
    expect(driver.read(output).map(({ value }) => value)).toEqual([2, 8]);
  });

  it('refuses a default with the name of a predicate', () => {
    expect(thrown(() => branch(input, { a: () => true }, 'a'))).toMatchObject({ code: 'ERR_BRANCH_NAME' });
  });

  it('gives a record to no branch when a predicate throws, and asks each predicate once', () => {
    let asked = 0;
    const { a, b } = branch(
      input,
      {
        a: (r) => {
          asked += 1;
          if (r.value === 7) throw new Error('seven');
          return false;
        },
      },
      'b',
    );
    const driver = new TestDriver([a.pipe(to(output)), b.pipe(to(output))], { onRecordError: 'skip' });
    driver.pipeAll(input, records);
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2, 8]);
    expect(asked).toBe(4);
  });
});
