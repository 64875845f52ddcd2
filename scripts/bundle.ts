/**
 * Makes the JavaScript of `dist`: one file for each door of the package and one for its command, and what they share or load later in
 * `dist/chunks`. The declarations are made by tsc. With `--bench` it makes `build-bench` instead, which also has files
 * for what benchmarks measure and users cannot reach: in `dist` each would split the chunks that users load.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
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

/**
 * Packages that are taken in: they are needed by parts of the package only, and users shall not install them. Their licences
 * stand in `licenses`.
 */
const takenIn: readonly string[] = ['@dagrejs/dagre', '@dagrejs/graphlib'];

/** Packages that the page of the dashboard is made of. */
const inPage: readonly string[] = ['preact', 'uplot'];

const takeIn: Plugin = {
  name: 'take-in',
  setup({ onResolve }) {
    for (const name of takenIn) {
      const path = fileURLToPath(import.meta.resolve(name));
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path }));
    }
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
  plugins: [rxjsParts, takeIn],
  format: 'esm',
  platform: 'node',
  target: 'es2023',
  tsconfig: 'tsconfig.build.json',
  // The sources are in the package.
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});

// The page of the dashboard, for browsers: all that it needs is in it, and nothing is loaded from elsewhere.
if (!bench) {
  const page = `${outdir}/dashboard/page`;
  await build({
    absWorkingDir: root,
    entryPoints: { page: 'page/main.tsx' },
    outdir: page,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    tsconfig: 'page/tsconfig.json',
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of ['page.html', 'icon.svg']) copyFileSync(`${root}page/${file}`, `${root}${page}/${file}`);
}

mkdirSync(`${root}${outdir}/licenses`, { recursive: true });
for (const name of bench ? takenIn : [...takenIn, ...inPage]) {
  const licence = `licenses/${name.replace('@', '').replace('/', '-')}.txt`;
  copyFileSync(`${root}node_modules/${name}/LICENSE`, `${root}${outdir}/${licence}`);
}
