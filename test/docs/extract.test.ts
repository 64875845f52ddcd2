import { expect, test } from 'vitest';
import { relativeLinks } from './markdown.ts';
import { type Extracted, ofMarkdown, ofSource } from './programs.ts';

const nothing = (): Extracted => ({ programs: [], complaints: [] });

function markdown(...lines: string[]): Extracted {
  const into = nothing();
  ofMarkdown('a.md', lines.join('\n'), into);
  return into;
}

test('a block becomes a program that keeps its line numbers', () => {
  const { programs } = markdown('# Title', '', '```ts', "console.log('x'); // => x", '// => y', '```');
  expect(programs).toHaveLength(1);
  expect(programs[0]).toMatchObject({ document: 'a.md', line: 4, expected: ['x', 'y'], run: true });
  expect(programs[0]?.text.split('\n')[3]).toBe("console.log('x'); // => x");
});

test('a block with <!-- continues --> goes on with the program above it', () => {
  const { programs, complaints } = markdown(
    '```ts',
    'const a = 1;',
    '```',
    'text',
    '<!-- continues -->',
    '',
    '```ts',
    'a;',
    '```',
  );
  expect(complaints).toEqual([]);
  expect(programs).toHaveLength(1);
  expect(programs[0]?.text.split('\n')[7]).toBe('a;');
});

test('continuing nothing, exempting without a reason and other spellings of ts are complaints', () => {
  const { complaints } = markdown(
    '<!-- continues -->',
    '```ts',
    '```',
    '```ts nocheck',
    '```',
    '```ts quick',
    '```',
    '```typescript',
    '```',
  );
  expect(complaints.map(({ line }) => line)).toEqual([3, 5, 7, 9]);
});

test('an exemption with its reason is left out (nocheck) or compiled only (norun)', () => {
  const { programs, complaints } = markdown(
    '<!-- nocheck: a shape that was refused -->',
    '```ts nocheck',
    'not a program',
    '```',
    '<!-- norun: needs a broker -->',
    '```ts norun',
    '```',
  );
  expect(complaints).toEqual([]);
  expect(programs.map(({ run }) => run)).toEqual([false]);
});

test('each @example of a source is a program of its own', () => {
  const into = nothing();
  ofSource(
    'x.ts',
    [
      'const glob = "src/**/*.ts";',
      '/**',
      ' * Adds.',
      ' *',
      ' * @example One and one',
      ' * ```ts',
      ' * @decorated',
      ' * console.log(1 + 1);',
      ' * // => 2',
      ' * ```',
      ' * @example',
      ' * ```ts',
      ' * 3;',
      ' * ```',
      ' * @public',
      ' */',
    ].join('\n'),
    into,
  );
  expect(into.complaints).toEqual([]);
  expect(into.programs.map(({ line, expected }) => [line, expected])).toEqual([
    [7, ['2']],
    [13, []],
  ]);
  expect(into.programs[0]?.text.split('\n')[7]).toBe('console.log(1 + 1);');
});

test('an @example without code is a complaint', () => {
  const into = nothing();
  ofSource('x.ts', '/**\n * @example\n * see above\n */', into);
  expect(into.complaints).toHaveLength(1);
});

test('relative links are found, others are left alone', () => {
  expect(relativeLinks('[a](b.md#c) [d](https://e.f) [g](#h) `[i](j)`\n```\n[k](l)\n```\n![m](n.svg "title")')).toEqual(
    ['b.md', 'n.svg'],
  );
});
