import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCase } from '../../scripts/conformance/check-case.ts';
import type { Case, Row } from '../../scripts/conformance/format.ts';
import { modes } from '../../scripts/conformance/modes.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';

const MODES = modes(memoryStores());
const row = (value: number | null, timestamp: number, start = 0): Row => ({
  key: 'a',
  value,
  timestamp,
  window: { start, end: start + 10 },
});

/** Two records in one window, the second without a value if so wanted. */
const counting = (second: number | null, out: readonly Row[], rest: Partial<Case> = {}): Case => ({
  name: 'two records',
  operator: 'windowedAggregate',
  params: { window: 'tumbling', size: 10, grace: 0, aggregate: 'count', emit: 'update' },
  steps: [
    { in: { topic: 'in', key: 'a', value: 1, timestamp: 3 }, out: [row(1, 3)] },
    { in: { topic: 'in', key: 'a', value: second, timestamp: 5 }, out },
  ],
  ...rest,
});

describe('a case', () => {
  test('passes in every mode when the rows are as recorded', () => {
    const verdict = checkCase('tumbling', counting(2, [row(2, 5)], { dropped: 0, store: [row(2, 5)] }), MODES);
    expect(verdict).toMatchObject({ kind: 'passed', problems: [] });
  });

  test.each([
    ['another value', counting(2, [row(3, 5)])],
    ['another timestamp', counting(2, [row(2, 4)])],
    ['another window', counting(2, [row(2, 5, 10)])],
    ['a row too few', counting(2, [])],
    ['a row too many', counting(2, [row(2, 5), row(2, 5)])],
    ['another number of drops', counting(2, [row(2, 5)], { dropped: 1 })],
    ['another store', counting(2, [row(2, 5)], { store: [row(1, 3)] })],
    [
      'a recorded throw',
      counting(2, [], { steps: [{ in: { topic: 'in', key: 'a', value: 1, timestamp: 3 }, out: [], error: 'X' }] }),
    ],
    [
      'an unknown topic',
      counting(2, [], { steps: [{ in: { topic: 'other', key: 'a', value: 1, timestamp: 3 }, out: [] }] }),
    ],
    ['a tag that no rule decides', counting(2, [], { tags: ['wart:unheard-of'] })],
  ])('fails with %s', (_what, entry) => {
    expect(checkCase('tumbling', entry, MODES).kind).toBe('failed');
  });

  test('says where it differs, and how', () => {
    const verdict = checkCase('tumbling', counting(2, [row(3, 5)]), MODES.slice(0, 1));
    expect(verdict.kind === 'failed' && verdict.problems).toEqual([
      {
        mode: 'plain',
        lines: ['step 2 of 2 (in "a"=2@5)', '  expected  "a"=3@5 [0,10]', '  got       "a"=2@5 [0,10]'],
      },
    ]);
  });

  test('may lack the rows that are marked', () => {
    const marked = { ...row(9, 9), wart: 'wart:duplicate-row' };
    expect(checkCase('tumbling', counting(2, [marked, row(2, 5), marked]), MODES).kind).toBe('passed');
  });

  test('with a tag differs on purpose where our rules do', () => {
    const tags = ['wart:null-value-in-window'];
    const verdict = checkCase('tumbling', counting(null, [row(2, 5)], { tags, dropped: 0 }), MODES);
    expect(verdict).toMatchObject({ kind: 'on purpose', tags, problems: [] });
  });

  test.each([
    ['family', 'unheard-of', counting(1, [])],
    ['operator', 'tumbling', counting(1, [], { operator: 'unheardOf' })],
    [
      'window',
      'tumbling',
      counting(1, [], { params: { window: 'unheardOf', grace: 0, emit: 'update', aggregate: 'count' } }),
    ],
  ])('of an unknown %s is not implemented', (_what, family, entry) => {
    expect(checkCase(family, entry, MODES).kind).toBe('not implemented');
  });
});

describe('npm run conformance', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-vectors-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function conformance(): { readonly lines: readonly string[]; readonly status: number | null } {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const args = ['--import', 'tsx', 'scripts/conformance.ts', folder];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    return { lines: stdout.trimEnd().split('\n'), status };
  }

  test('fails on a folder without vectors', () => {
    expect(conformance()).toMatchObject({ lines: expect.arrayContaining(['0 passed, 0 failed']), status: 1 });
  });

  test('runs what it knows, reports the rest, and counts', () => {
    const file = (name: string, content: unknown): void => writeFileSync(join(folder, name), JSON.stringify(content));
    file('good.json', { family: 'tumbling', cases: [counting(2, [row(2, 5)])] });
    file('later.json', { family: 'unheard-of', cases: [counting(2, [])] });
    file('other.json', { hello: 'world' });
    writeFileSync(join(folder, 'broken.json'), '{');
    const good = conformance();
    expect(good.status, good.lines.join('\n')).toBe(0);
    expect(good.lines.at(-1)).toBe('1 passed, 0 failed');
    expect(good.lines).toContain('other.json was left out: it has no family and cases');
    expect(good.lines.find((line) => line.startsWith('broken.json'))).toContain('cannot be read');

    file('bad.json', { family: 'tumbling', cases: [counting(2, [row(3, 5)])] });
    const bad = conformance();
    expect(bad.status, bad.lines.join('\n')).toBe(1);
    expect(bad.lines.at(-1)).toBe('1 passed, 1 failed');
    expect(bad.lines.find((line) => line.startsWith('tumbling: two records'))).toContain('(plain');
  });
});
