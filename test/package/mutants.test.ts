import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants } from '../../scripts/mutants/index.ts';
import { mutated } from '../../scripts/mutants/mutant.ts';
import { root } from '../docs/collect.ts';

/** What stands for a parameter in the title of a test. */
const PARAMETER = /%[sij]|\\\$\w+|\\\$\\\{[^}]*\}/g;

/** Whether one of the texts of a file can be the end of a title, or one of the suites that it imports. */
function hasTitle(path: string, title: string, depth = 3): boolean {
  const source = readFileSync(path, 'utf8');
  const texts = Array.from(source.matchAll(/(['`])((?:\\.|(?!\1)[^\\\n])+)\1/g), ([, , text = '']) =>
    text.replaceAll("\\'", "'"),
  );
  const isTitle = (text: string): boolean => {
    const pattern = text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(PARAMETER, '.*');
    return /\w{2}/.test(pattern) && new RegExp(`(^| )${pattern}$`).test(title);
  };
  if (texts.some(isTitle)) return true;
  const suites = texts
    .filter((text) => depth > 0 && /^\.\.?\/.*\.ts$/.test(text))
    .map((text) => join(dirname(path), text));
  return suites.some((suite) => existsSync(suite) && hasTitle(suite, title, depth - 1));
}

describe('the mutants', () => {
  it('have names of their own, can be made of the sources as they are, and name tests that are there', () => {
    const names = mutants.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    const wrong = mutants.flatMap((mutant) => {
      const { why } = mutated(mutant, readFileSync(root + mutant.file, 'utf8'));
      const missing = mutant.caughtBy
        .filter(({ file, test }) => !existsSync(root + file) || !hasTitle(root + file, test))
        .map(({ file, test }) => `no test in ${file}: ${test}`);
      const tests = mutant.caughtBy.length === 0 ? ['no test'] : missing;
      return [...(why === undefined ? [] : [why]), ...tests].map((text) => `${mutant.name}: ${text}`);
    });
    expect(wrong).toEqual([]);
  });
});
