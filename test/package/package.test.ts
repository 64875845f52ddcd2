import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors, install, manifest, pack, remove, root } from './tarball.ts';

let packed: ReturnType<typeof pack>;
let user: string;

beforeAll(() => {
  packed = pack();
  user = install(packed.tarball);
});
afterAll(() => {
  remove(packed.folder);
  remove(user);
});

/** Runs a module in a folder with a plain Node. */
function node(folder: string, source: string): { status: number | null; stdout: string; stderr: string } {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
    env,
  });
  return { status, stdout, stderr };
}

/** The page of the dashboard, for browsers. */
const page = ['icon.svg', 'page.css', 'page.html', 'page.js'].map((file) => `dist/dashboard/page/${file}`);

interface SourceMap {
  readonly sources: readonly string[];
}

describe('the packed tarball', () => {
  test('holds the build, its sources and the papers, and nothing else', () => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    const others = packed.files.filter((file) => !papers.includes(file));
    expect(packed.files).toEqual(expect.arrayContaining(papers));
    expect(
      others.filter(
        (file) =>
          !/^dist\/(?:.*\.(js|d\.ts)(\.map)?|licenses\/[\w-]+\.txt)$/.test(file) &&
          !/^src\/.*\.ts$/.test(file) &&
          !page.includes(file),
      ),
    ).toEqual([]);
  });

  test('holds the licences of what was taken into it', () => {
    const maps = packed.files.filter((file) => /^dist\/.*\.js\.map$/.test(file));
    const sources = maps.flatMap((file) => (JSON.parse(readFileSync(root + file, 'utf8')) as SourceMap).sources);
    const taken = new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []));
    expect([...taken]).toEqual(['@dagrejs/dagre']);
    expect(packed.files).toContain('dist/licenses/dagrejs-dagre.txt');
    for (const name of ['preact', 'uplot']) expect(packed.files).toContain(`dist/licenses/${name}.txt`);
  });

  test('holds the page of the dashboard: small, and loading nothing from elsewhere', () => {
    expect(packed.files).toEqual(expect.arrayContaining(page));
    const sizes = page.map((file) => gzipSync(readFileSync(root + file)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
    for (const file of page) {
      const text = readFileSync(root + file, 'utf8').replaceAll('http://www.w3.org/', '');
      expect(text.match(/\b(?:https?:)?\/\/[a-z0-9-]+\.[a-z]{2,}/gi) ?? [], file).toEqual([]);
    }
  });

  test('loads the server of the dashboard only when it is wanted', () => {
    const seen = new Set(['dist/index.js']);
    for (const file of seen) {
      const text = readFileSync(root + file, 'utf8');
      for (const [, path] of text.matchAll(/(?:from|^import)\s*"(\.{1,2}\/[^"]+)"/gm)) {
        seen.add(posix.join(posix.dirname(file), path ?? ''));
      }
    }
    const http = [...seen].filter((file) => readFileSync(root + file, 'utf8').includes('node:http'));
    expect(http).toEqual([]);
  });

  test('holds no tests', () => {
    expect(packed.files.filter((file) => /\.(test|test-d|fixtures)\.|(^|\/)test\//.test(file))).toEqual([]);
  });

  test('has a map for every built file, and the sources that it names, so that a debugger shows them', () => {
    const built = packed.files.filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file) && !page.includes(file));
    expect(built.filter((file) => !packed.files.includes(`${file}.map`))).toEqual([]);
    const missing = built.flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(`${root}${file}.map`, 'utf8')) as SourceMap;
      const own = sources.filter((source) => !source.includes('node_modules/'));
      const named = own.map((source) => posix.join(posix.dirname(file), source));
      // That one only passes names of RxJS on.
      return named.filter((source) => source !== 'scripts/rxjs-parts.ts' && !packed.files.includes(source));
    });
    expect(missing).toEqual([]);
  });

  test('holds every file that exports names', () => {
    const named = Object.values(manifest.exports).flatMap((to) =>
      typeof to === 'string' ? [to] : [to.types, to.default],
    );
    expect(named.filter((file) => !packed.files.includes(file.replace('./', '')))).toEqual([]);
  });
});

describe('in a fresh folder with only the declared dependencies', () => {
  test.each(doors)('import %s gives names, prints nothing, and the process exits by itself', (door) => {
    const names = node(user, `console.log(Object.keys(await import('${door}')).length)`);
    expect(names).toEqual({ status: 0, stdout: expect.stringMatching(/^[1-9]\d*\n$/), stderr: '' });
    expect(node(user, `import '${door}';`)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('all doors share one set of classes', () => {
    const inner = `const all = await Promise.all(${JSON.stringify(doors)}.map((door) => import(door)));
      const seen = new Map();
      for (const door of all) for (const [name, value] of Object.entries(door)) {
        if (seen.has(name) && seen.get(name) !== value) throw new Error(name);
        seen.set(name, value);
      }`;
    expect(node(user, inner)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('its streams are Observables of the RxJS that the user imports or requires', () => {
    const source = `import { createRequire } from 'node:module';
      import * as imported from 'rxjs';
      import { connect, int32, topic } from 'millrace';
      const required = createRequire(process.cwd() + '/user.js')('rxjs');
      const numbers = topic('numbers', { value: int32(), partitions: 1 });
      const client = await connect({ path: 'log' });
      for (const rxjs of [imported, required]) {
        for (const stream of [numbers, numbers.pipe(rxjs.map((row) => row)), client.records(numbers)]) {
          console.log(stream instanceof rxjs.Observable);
        }
      }
      await client.close();`;
    expect(node(user, source)).toEqual({ status: 0, stdout: 'true\n'.repeat(6), stderr: '' });
  });

  test.each(doors)('import %s loads neither all of RxJS nor packages that may never be used', (door) => {
    const source = `import { createRequire } from 'node:module';
      await import('rxjs/internal/util/noop');
      await import('${door}');
      const loaded = Object.keys(createRequire(process.cwd() + '/user.js').cache).join('\\n').replaceAll('\\\\', '/');
      if (!loaded.includes('/internal/util/noop.js')) throw new Error('loaded files are not told');
      console.log(loaded.match(/rxjs\\/dist\\/cjs\\/index\\.js|kafkajs\\/|lmdb\\/|snappyjs\\/|zstd-wasm\\//g));`;
    expect(node(user, source)).toEqual({ status: 0, stdout: 'null\n', stderr: '' });
  });

  test('what is not exported cannot be reached', () => {
    expect(node(user, `import 'millrace/dist/index.js';`).stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  test('millrace/testing needs no native package', () => {
    const bare = install(packed.tarball, ['lmdb']);
    try {
      expect(node(bare, `import 'millrace/testing';`)).toEqual({ status: 0, stdout: '', stderr: '' });
    } finally {
      remove(bare);
    }
  });

  test.each(['NodeNext', 'Bundler'])(
    'the declarations hold for a strict user with moduleResolution %s',
    (resolution) => {
      symlinkSync(join(root, 'node_modules/@types'), join(user, 'node_modules/@types'), 'junction');
      writeFileSync(
        join(user, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            target: 'ES2023',
            module: resolution === 'Bundler' ? 'ESNext' : resolution,
            moduleResolution: resolution,
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
            skipLibCheck: false,
            types: ['node'],
          },
          files: ['user.ts'],
        }),
      );
      writeFileSync(
        join(user, 'user.ts'),
        doors
          .map((door, i) => `import * as door${i} from '${door}';\nexport type Door${i} = keyof typeof door${i};\n`)
          .join(''),
      );
      try {
        const tsc = spawnSync(
          process.execPath,
          [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false'],
          {
            cwd: user,
            encoding: 'utf8',
          },
        );
        // Nothing at all: what other packages declare wrongly must not be reached from ours.
        expect(tsc.stdout).toBe('');
        expect(tsc.stderr).toBe('');
      } finally {
        remove(join(user, 'node_modules/@types'));
      }
    },
  );
});
