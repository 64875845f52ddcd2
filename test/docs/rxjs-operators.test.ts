import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OPERATORS, verdictOf } from './rxjs-operators.ts';

const page = readFileSync(new URL('../../docs/why-not-plain-rxjs.md', import.meta.url), 'utf8');

/** Rows of the table of operators: what happens, and the operators that it happens to. */
const rows = page.split('\n').flatMap((line) => {
  const [, verdict, names] = /^\| (works|forgets|`ERR_\w+`) \| (.*?) \| .* \|$/.exec(line) ?? [];
  if (verdict === undefined || names === undefined) return [];
  return [...names.matchAll(/`(\w+)`(?: \(([^)]*)\))?/g)].map(([, name, how]) => ({
    name: how === undefined ? (name as string) : `${name}: ${how}`,
    verdict: verdict.replaceAll('`', ''),
  }));
});

it.each(rows)('$name: $verdict, as the table says', ({ name, verdict }) => {
  const step = OPERATORS[name];
  if (step === undefined) throw new Error(`no program tries ${name}`);
  expect(verdictOf(step)).toBe(verdict);
});

it('has a row for each operator that is tried', () => {
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(OPERATORS).sort());
});
