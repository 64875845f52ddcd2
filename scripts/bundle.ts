/**
 * Makes the JavaScript of `dist`: one file for each door of the package and one for its command, and what they share or load later in
 * `dist/chunks`. The declarations are made by tsc. With `--bench` it makes `build-bench` instead, which also has files
 * for what benchmarks measure and users cannot reach: in `dist` each would split the chunks that users load.
 */
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { internals } from '../bench/shared/internals.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { bin, exports: doors } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  bin: Record<string, string>;
  exports: Record<string, { default: string } | string>;
};

const sourceOf = (built: string): string => built.replace('./dist/', 'src/').replace(/\.js$/, '.ts');

const bench = process.argv.includes('--bench');
const outdir = bench ? 'build-bench' : 'dist';
const entries = Object.values(doors).flatMap((door) => (typeof door === 'string' ? [] : [sourceOf(door.default)]));
// In `build-bench` too, so that chunks are cut as in the package.
entries.push(...Object.values(bin).map(sourceOf));
if (bench) {
  entries.push(...internals.map((path) => `src/${path.replace(/\.js$/, '.ts')}`));
  rmSync(root + outdir, { recursive: true, force: true });
}

/** Takes what is imported from `rxjs` from its parts. */
const rxjsParts: Plugin = {
  name: 'rxjs-parts',
  setup({ onResolve }) {
    onResolve({ filter: /^rxjs$/ }, () => ({ path: fileURLToPath(new URL('rxjs-parts.ts', import.meta.url)) }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: entries,
  outbase: 'src',
  outdir,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // A class that two doors have is one class, and what is imported dynamically stays in a file of its own.
  splitting: true,
  // Of other packages nothing is taken in.
  packages: 'external',
  plugins: [rxjsParts],
  format: 'esm',
  platform: 'node',
  target: 'es2023',
  tsconfig: 'tsconfig.build.json',
  // The sources are in the package.
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
