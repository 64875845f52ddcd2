import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as millrace from 'millrace';
import { describe, expect, it } from 'vitest';
import { root } from '../docs/collect.ts';

const folder = `${root}src/operators/`;
const files = readdirSync(folder).filter((name) => /^[a-z-]+\.ts$/.test(name));
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What a step declares, and no steps. Their tests are those of `process`. */
const DECLARATIONS = ['key-value.ts', 'output.ts'];

/** The functions of each file that users get. */
const operators = files
  .filter((file) => !DECLARATIONS.includes(file))
  .map((file) => {
    const exported = [...readFileSync(folder + file, 'utf8').matchAll(/^export (?:async )?function (\w+)/gm)];
    const names = [...new Set(exported.map(([, name]) => name as string))];
    return { file, names: names.filter((name) => name in millrace) };
  })
  .filter(({ names }) => names.length > 0);

describe('src/operators', () => {
  it('has one operator in a file, which is called as it is', () => {
    expect(operators.length).toBeGreaterThan(20);
    const wrong = operators.filter(({ file, names }) => names.length > 1 || `${kebab(names[0] as string)}.ts` !== file);
    expect(wrong).toEqual([]);
  });

  it('has the test of each operator beside it', () => {
    const without = operators.filter(({ file }) => !existsSync(folder + file.replace(/\.ts$/, '.test.ts')));
    expect(without.map(({ file }) => file)).toEqual([]);
  });
});
