import fc, { type Arbitrary } from 'fast-check';
import { CheckFailed } from '../assertion-error.ts';
import { Thrown } from './ways.ts';

/** A law: generates inputs and ways to process them, and knows whether it holds. */
export interface Law {
  readonly name: string;
  /** The most inputs to try. */
  readonly runs: number;
  readonly property: fc.IProperty<[unknown, unknown]>;
  /** What the law says of an input and a way; `undefined` if it holds. */
  readonly judge: (input: unknown, way: unknown) => unknown;
  /** Simpler ways than one that fails, beyond those that fast-check tries. */
  readonly simpler: (way: unknown) => readonly unknown[];
}

/**
 * Makes a law.
 *
 * @param check - Throws if the law does not hold.
 */
export function law<I, W>(
  name: string,
  inputs: Arbitrary<I>,
  ways: Arbitrary<W>,
  check: (input: I, way: W) => void,
  { runs = Infinity, simpler = () => [] }: { readonly runs?: number; readonly simpler?: (way: W) => readonly W[] } = {},
): Law {
  const property = fc.property(inputs, ways, check) as unknown as Law['property'];
  const judge = (input: unknown, way: unknown): unknown => {
    try {
      check(input as I, way as W);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  return { name, runs, property, judge, simpler: (way) => simpler(way as W) };
}

/**
 * Checks a law.
 *
 * @throws CheckFailed with the smallest input on which it does not hold, and an Error with the smallest input on which
 * the pipeline or a function of the law throws.
 */
export function hold(of: Law, { runs = 100, seed }: { readonly runs?: number; readonly seed?: number }): void {
  const { name } = of;
  const details = fc.check(of.property, { numRuns: Math.min(runs, of.runs), ...(seed === undefined ? {} : { seed }) });
  if (!details.failed) return;
  const error = simplest(of, details.counterexample, details.errorInstance);
  const found = `found with seed ${details.seed}, shrunk ${details.numShrinks} times`;
  if (error instanceof CheckFailed) {
    throw new CheckFailed(`law "${name}" does not hold: ${error.message}\n\n(${found})`, error);
  }
  if (error instanceof Thrown) {
    const text = `law "${name}" cannot be tried: ${error.message}\n\n${error.program}\n\n(${found})`;
    throw new Error(text, { cause: error.cause });
  }
  throw error ?? new Error(`law "${name}" was not tried: ${details.numRuns} runs`);
}

/** Tries simpler ways while the law fails on one of them in the same manner. @returns The last failure. */
function simplest(of: Law, counterexample: [unknown, unknown] | null, found: unknown): unknown {
  if (counterexample === null) return found;
  const [input] = counterexample;
  let [, way] = counterexample;
  let last = found;
  for (let at = 0, ways = of.simpler(way); at < ways.length; ) {
    const error = of.judge(input, ways[at]);
    if (sameKind(error, last)) {
      last = error;
      way = ways[at];
      ways = of.simpler(way);
      at = 0;
    } else at += 1;
  }
  return last;
}

function sameKind(one: unknown, other: unknown): boolean {
  return one instanceof Error && other instanceof Error && one.constructor === other.constructor;
}
