import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mayTellTime, rawTime } from '../../scripts/raw-time.ts';

const said = (file: string, ...lines: string[]): string[] => rawTime(file, lines.join('\n')).map(({ text }) => text);

test.each([
  'const timer = setTimeout(look, 5);',
  'setInterval(look, 5);',
  'setImmediate(() => look());',
  'const now = Date.now();',
  'const { now = Date.now } = options;',
  'const since = performance.now();',
  "import { setTimeout as sleep } from 'node:timers/promises';",
  'const [seconds] = process.hrtime();',
  'process.nextTick(look);',
  'const now = new Date().getTime();',
])('%s is a time that no clock tells', (line) => {
  expect(said('runtime/app/app.ts', line)).toHaveLength(1);
  expect(said('runtime/app/app.test.ts', line)).toEqual([]);
  expect(said('dataflow/clock.ts', line)).toEqual([]);
});

test.each([
  'clock.after(5, look);',
  'queueMicrotask(look);',
  'const day = new Date(timestamp);',
  '// setTimeout would do it',
  ' * Not `Date.now`, which jumps.',
])('%s is none', (line) => {
  expect(said('runtime/app/app.ts', line)).toEqual([]);
});

test('each file that may tell the time by itself does so', () => {
  for (const file of mayTellTime) {
    const url = new URL(`../../src/${file}`, import.meta.url);
    expect(existsSync(url), file).toBe(true);
    expect(rawTime('other.ts', readFileSync(url, 'utf8')), file).not.toEqual([]);
  }
});
