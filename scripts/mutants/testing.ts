import type { Mutant, NamedTest } from './mutant.ts';

const outcomes = (test: string): NamedTest => ({ file: 'src/testing/fast-check/outcomes.prop.test.ts', test });

/** Faults of the testing kit itself. */
export const testingMutants: readonly Mutant[] = [
  {
    name: 'driver-due-timers-wait',
    fault: 'the test driver does not fire timers that are due when they are set',
    file: 'src/testing/driver-engine.ts',
    text: 'if (ms <= 0) this.#due = true;',
    instead: 'if (ms < 0) this.#due = true;',
    caughtBy: [
      {
        file: 'src/operators/process.test.ts',
        test: 'fire once more where their effects were lost, although the clock of the driver stands still',
      },
    ],
  },
  {
    name: 'failed-pipe-writes-later',
    fault: 'records of a call that failed are written by the next one',
    file: 'src/testing/test-driver.ts',
    text: 'this.#input.recycle(this.#input.take());\n      throw error;',
    instead: 'throw error;',
    caughtBy: [{ file: 'src/testing/test-driver.test.ts', test: 'writes nothing of a call that fails' }],
  },
  {
    name: 'law-reorder-not-to-its-end',
    fault: 'the law reorder has no record that is as far behind as it says',
    file: 'src/testing/fast-check/record-laws.ts',
    text: 'left.at - right.at || right.index - left.index',
    instead: 'left.at - right.at',
    caughtBy: [outcomes('what drops a record that is exactly as far behind as the law allows')],
  },
  {
    name: 'law-headers-not-compared',
    fault: 'laws do not compare whose headers a row has',
    file: 'src/testing/fast-check/compare-rows.ts',
    text: 'as(textsOf(all.rows));',
    instead: 'as(textsOf(all.rows.map(bare)));',
    caughtBy: [outcomes('whose headers a row has, although nothing else differs')],
  },
  {
    name: 'law-order-between-stages',
    fault: 'laws compare the order of dead letters of several stages',
    file: 'src/testing/fast-check/compare-rows.ts',
    text: 'sorted(all.deadLetters.map(letterText))',
    instead: 'as(all.deadLetters.map(letterText))',
    caughtBy: [outcomes('the order of dead letters and late records of several stages, which there is none of')],
  },
];
