import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkExample, checkSource, importsOf } from '../../scripts/imports.ts';
import { compositionRoots, drawRooms, rooms } from '../../scripts/rooms.ts';

const said = (file: string, ...lines: string[]): string[] =>
  checkSource(file, lines.join('\n')).map(({ text }) => text);

describe('import directions', () => {
  test.each([
    ['record.ts', './errors.ts'],
    ['windows/tumbling.ts', 'rxjs'],
    ['windows/tumbling.ts', '../state/byte-store.ts'],
    ['serdes/json.ts', 'node:buffer'],
    ['state/cache.ts', '../operators/key-by.ts'],
    ['operators/key-by.ts', '../streams/topic.ts'],
    ['operators/key-by.ts', 'node:timers'],
    ['sinks/to.ts', '../operators/key-by.ts'],
    ['streams/topic.ts', '../runtime/run.ts'],
    ['runtime/task/task.ts', '../transports/memory/index.ts'],
    ['runtime/task/task.ts', 'lmdb'],
    ['transports/memory/log.ts', '../../runtime/task/task.ts'],
    ['transports/memory/log.ts', '../embedded/log.ts'],
    ['transports/memory/log.ts', '../../operators/key-by.ts'],
    ['transports/embedded/log.ts', 'kafkajs'],
    ['testing/driver.ts', '../transports/embedded/index.ts'],
    ['testing/driver.ts', 'node:fs'],
  ])('%s may not import %s', (file, specifier) => {
    expect(said(file, `import { x } from '${specifier}';`)).toHaveLength(1);
    expect(said(file, `import type {\n  X,\n} from '${specifier}';`)).toHaveLength(1);
    expect(said(file, `export { x } from '${specifier}';`)).toHaveLength(1);
    expect(said(file, `const x = await import('${specifier}');`)).toHaveLength(1);
  });

  test.each([
    ['serdes/json.ts', './serde.ts'],
    ['windows/tumbling.ts', '../record.ts'],
    ['operators/window-by.ts', '../windows/tumbling.ts'],
    ['operators/window-by.ts', 'rxjs'],
    ['streams/through.ts', '../sinks/to.ts'],
    ['transports/embedded/log.ts', '../../log/transport.ts'],
    ['transports/embedded/log.ts', 'lmdb'],
    ['run.ts', './transports/embedded/index.ts'],
    ['operators/key-by.test.ts', '../testing/index.ts'],
  ])('%s may import %s', (file, specifier) => {
    expect(said(file, `import { x } from '${specifier}';`)).toEqual([]);
  });

  test('a file outside of all rooms is refused', () => {
    expect(said('helpers/misc.ts', '')).toEqual(['belongs to no room: add it to scripts/rooms.ts']);
  });

  test('a violation is reported with the line it ends on; comments and strings do not count', () => {
    const source = [
      '/**',
      " * import { a } from '../operators/a.ts';",
      ' */',
      "// import { b } from '../operators/b.ts';",
      'import {',
      '  c,',
      "} from '../operators/c.ts';",
      "import './side.ts';",
    ];
    expect(importsOf(source.join('\n'))).toEqual([
      { specifier: '../operators/c.ts', line: 7 },
      { specifier: './side.ts', line: 8 },
    ]);
  });

  test('examples import the package by its names', () => {
    expect(checkExample('flights/main.ts', "import { x } from '../../src/index.ts';")).toHaveLength(1);
    expect(checkExample('flights/main.ts', "import { x } from 'millrace';\nimport { y } from './chart.ts';")).toEqual(
      [],
    );
  });

  test('arrows go one way: each room imports only rooms above it in the table', () => {
    const order = rooms.map(({ path }) => path);
    for (const room of rooms) {
      for (const target of room.rooms) {
        if (compositionRoots.includes(target)) {
          // A program on top of the library: it uses what users have, and nothing imports it.
          expect(rooms.filter((other) => other.rooms.includes(room.path))).toEqual([]);
          continue;
        }
        const at = order.findIndex((path) => target === path || target.startsWith(`${path}/`));
        expect(at, `${room.path} imports ${target}`).toBeGreaterThanOrEqual(0);
        expect(at, `${room.path} imports ${target}`).toBeLessThan(order.indexOf(room.path));
      }
    }
  });

  test('the picture in CONTRIBUTING.md is current (npm run check:imports -- --draw)', () => {
    const text = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
    expect(/```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1]).toBe(drawRooms());
  });
});
