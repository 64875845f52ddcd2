import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as rxjs from 'rxjs';
import { expect, test } from 'vitest';
import * as parts from '../../scripts/rxjs-parts.ts';

test.each(Object.entries(parts))('%s is that of rxjs', (name, value) => {
  expect(value).toBe(new Map<string, unknown>(Object.entries(rxjs)).get(name));
});

test('under each condition rxjs gives its modules from the build that it gives itself from', () => {
  const file = createRequire(import.meta.url).resolve('rxjs/package.json');
  const { exports: doors } = JSON.parse(readFileSync(file, 'utf8')) as {
    exports: Record<'.' | './internal/*', Record<string, string>>;
  };
  const builds = (door: Record<string, string>, end: string): [string, string][] =>
    Object.entries(door)
      .filter(([condition]) => condition !== 'types')
      .map(([condition, path]) => [condition, path.replace(end, '')]);
  expect(builds(doors['./internal/*'], '/internal/*.js')).toEqual(builds(doors['.'], '/index.js'));
});
