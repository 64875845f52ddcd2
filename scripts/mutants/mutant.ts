import type { LogKind } from '../../test/simulation/simulation.ts';

/** A test by its file and its title, with the titles of the groups around it where the title alone is not enough. */
export interface NamedTest {
  readonly file: string;
  readonly test: string;
  /** The test does not come to an end: its own time-out, or the one of this command, is what finds the fault. */
  readonly hangs?: true;
}

/** Simulated runs, by their seeds. */
export interface Seeds {
  readonly on: LogKind;
  readonly from: number;
  readonly count: number;
}

/** A small fault, and the tests that find it. Each of them has to. */
export interface Mutant {
  readonly name: string;
  /** What goes wrong, in words. */
  readonly fault: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly text: string;
  readonly instead: string;
  readonly caughtBy: readonly NamedTest[];
  /** Simulated runs, one of which finds it too. */
  readonly seeds?: Seeds;
}

/** A mutant, or `undefined` with why it cannot be made. */
export function mutated({ file, instead, text }: Mutant, source: string): { readonly source?: string; why?: string } {
  const places = source.split(text).length - 1;
  if (places !== 1) return { why: `the text to be replaced stands ${places} times in ${file}, not once` };
  return { source: source.replace(text, () => instead) };
}
