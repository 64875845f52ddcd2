import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { read, root } from './collect.ts';

const CLASS_OF: Readonly<Record<string, string>> = {
  ConfigError: 'config',
  RecordError: 'record',
  StoreError: 'store',
  FatalError: 'fatal',
};

/** Source files that a user can reach. */
function sources(): string[] {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
  return readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !/\.(test|test-d|fixtures)\.ts$/.test(name))
    .filter((name) => !name.startsWith('transports/kafka/') || exports['./kafka'] !== undefined);
}

/** `CODE class`, of every place in the sources that makes an error. */
function raised(): Set<string> {
  const found = new Set<string>();
  for (const name of sources()) {
    const text = read(`src/${name}`);
    for (const match of text.matchAll(/new (\w+Error)\(\s*'(ERR_\w+)'/g)) {
      const errorClass = CLASS_OF[match[1] ?? ''];
      if (errorClass !== undefined) found.add(`${match[2]} ${errorClass}`);
    }
    for (const match of text.matchAll(/(?:new MillraceError|super)\(\s*'([\w-]+)',\s*'(ERR_\w+)'/g)) {
      found.add(`${match[2]} ${match[1]}`);
    }
  }
  return found;
}

/** `CODE class`, of every row in the tables of docs/errors.md. */
function documented(): Set<string> {
  const rows = read('docs/errors.md').matchAll(/^\| `(ERR_\w+)` \| ([\w-]+) \|/gm);
  return new Set([...rows].map((row) => `${row[1]} ${row[2]}`));
}

test('every error code stands in docs/errors.md, with its class, and no others do', () => {
  expect([...documented()].toSorted()).toEqual([...raised()].toSorted());
});
