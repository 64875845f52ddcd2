import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { format } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { projectFiles } from '../../src/cli/init-files.ts';
import { documents, extractAll, read, root } from './collect.ts';
import { relativeLinks } from './markdown.ts';
import type { Program } from './programs.ts';

const out = 'build-docs';
const fileOf = (program: Program): string => `${out}/${program.document}/${program.line}.ts`;
const { programs, complaints } = extractAll();

rmSync(root + out, { recursive: true, force: true });
for (const program of programs) {
  mkdirSync(dirname(root + fileOf(program)), { recursive: true });
  writeFileSync(root + fileOf(program), program.text);
}

/** Lines printed, compared with lines promised; `…` in a promise stands for any text. */
function keeps(promised: readonly string[], printed: readonly string[]): boolean {
  if (promised.length !== printed.length) return false;
  return promised.every((line, i) => {
    const pattern = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`).test(printed[i] ?? '');
  });
}

async function execute(program: Program): Promise<string[]> {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args: unknown[]) => {
    printed.push(...format(...args).split('\n'));
  });
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'));
  process.chdir(folder);
  try {
    await import(/* @vite-ignore */ root + fileOf(program));
  } finally {
    process.chdir(before);
    log.mockRestore();
    rmSync(folder, { recursive: true, force: true });
  }
  return printed;
}

function madeScripts(): Readonly<Record<string, string>> {
  const { scripts } = JSON.parse(projectFiles('shop', '*')['package.json'] ?? '') as {
    scripts: Record<string, string>;
  };
  return scripts;
}

describe('documents', () => {
  test('mark their blocks as agreed', () => {
    expect(complaints.map(({ document, line, text }) => `${document}:${line} ${text}`)).toEqual([]);
  });

  test.each(documents())('%s exists, and its relative links lead to files', (document) => {
    expect(existsSync(root + document), `${document} is missing`).toBe(true);
    const dead = relativeLinks(read(document)).filter(
      (target) => !existsSync(root + normalize(join(dirname(document), target))),
    );
    expect(dead).toEqual([]);
  });

  test.each(documents())('%s names only commands that exist', (document) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const text = existsSync(root + document) ? read(document) : '';
    const called = [
      ...[...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map((match) => match[1] ?? ''),
      ...[...text.matchAll(/\bnpm (test|start)\b/g)].map((match) => match[1] ?? ''),
    ];
    // What is said of a project that the command has made is meant in that project.
    const made = text.includes('millrace init') ? madeScripts() : {};
    expect(called.filter((name) => (scripts[name] ?? made[name]) === undefined)).toEqual([]);
    const files = [...text.matchAll(/\b(?:npx tsx|node) ([\w./-]+\.[mc]?[jt]s)\b/g)].map((match) => match[1] ?? '');
    expect(files.filter((name) => !existsSync(root + name))).toEqual([]);
  });
});

describe('programs in documents and @example blocks', () => {
  test('compile', () => {
    const config = {
      extends: '../tsconfig.json',
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ['**/*.ts', '../src/**/*.d.ts'],
      exclude: [],
    };
    mkdirSync(root + out, { recursive: true });
    writeFileSync(`${root}${out}/tsconfig.json`, JSON.stringify(config));
    const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', out, '--pretty', 'false'], {
      cwd: root,
      encoding: 'utf8',
    });
    // One entry per error, with the indented lines that explain it.
    const errors = tsc.stdout.split(/\n(?! )/).filter((error) => error !== '');
    // Errors in the sources are the business of `npm run typecheck`.
    const ours = errors.filter((error) => !/^(src|test)\//.test(error));
    expect(ours.map((error) => error.replace(/^build-docs\/(.*)\/\d+\.ts\((\d+),(\d+)\)/, '$1:$2:$3'))).toEqual([]);
    if (errors.length === 0) expect(tsc.status, tsc.stderr).toBe(0);
  });

  test('are there', () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  test.each(
    programs
      .filter((program) => program.run)
      .map((program) => [`${program.document}:${program.line}`, program] as const),
  )('%s runs and prints what it says', async (_, program) => {
    const printed = await execute(program);
    if (program.expected.length === 0) return;
    if (!keeps(program.expected, printed)) expect(printed).toEqual(program.expected);
  });
});
