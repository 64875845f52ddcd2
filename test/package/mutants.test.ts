import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutants } from '../../scripts/mutants/index.ts';
import { mutated } from '../../scripts/mutants/mutant.ts';
import { root } from '../docs/collect.ts';

describe('the mutants', () => {
  it('have names of their own, can be made of the sources as they are, and name tests that are there', () => {
    const names = mutants.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    const wrong = mutants.flatMap((mutant) => {
      const { why } = mutated(mutant, readFileSync(root + mutant.file, 'utf8'));
      const missing = mutant.caughtBy.filter(({ file }) => !existsSync(root + file)).map(({ file }) => `no ${file}`);
      const tests = mutant.caughtBy.length === 0 ? ['no test'] : missing;
      return [...(why === undefined ? [] : [why]), ...tests].map((text) => `${mutant.name}: ${text}`);
    });
    expect(wrong).toEqual([]);
  });
});
