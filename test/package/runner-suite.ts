/** A test file of a user, for any runner that has `test` and `expect`-free assertion errors: two tests hold, two do not. */
export function userSuite(testFrom: string): string {
  return `${testFrom}
import fc from 'fast-check';
import { int32, mapValues, string, to, topic } from 'millrace';
import { expectMarbles, TestDriver } from 'millrace/testing';
import { expectLaws, records } from 'millrace/testing/fast-check';
import { scan } from 'rxjs';

const numbers = topic('numbers', { key: string(), value: int32() });
const doubled = topic('doubled', { key: string(), value: int32() });
const driver = () => new TestDriver(numbers.pipe(mapValues((n) => n * 2), to(doubled)));
const some = { input: numbers, output: doubled, records: records({ keys: ['a'], values: fc.nat(9) }), seed: 1, runs: 20 };

test('a diagram that holds', () => {
  expectMarbles(driver(), [numbers, doubled], 'numbers --a:1(1s)--\\ndoubled --a:2(1s)--');
});
test('laws that hold', () => {
  expectLaws((source) => source.pipe(mapValues((n) => n * 2)), some);
});
test('a diagram that does not hold', () => {
  expectMarbles(driver(), [numbers, doubled], 'numbers --a:1(1s)--\\ndoubled --a:3(1s)--');
});
test('a law that does not hold', () => {
  const count = scan((last, next) => ({ ...next, value: last.value + 1 }));
  expectLaws((source) => source.pipe(count), { ...some, runs: 100 });
});
`;
}

/** What every runner must show of it. */
export const shown: readonly string[] = [
  'doubled should have a:3(1s) after a:1(1s) of numbers, and has a:2(1s)',
  'numbers  --a:1(1s)--',
  'law "restart" does not hold',
  'driver.pipe(numbers, {',
];
