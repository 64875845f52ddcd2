import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './run-example.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/**
 * Compiles an example together with the library, so that a test that starts it a hundred times does not compile it a
 * hundred times. Types are not checked here.
 *
 * @returns The program, for `node`.
 */
export async function compileExample(name: string): Promise<string> {
  // Inside the project, so that packages are found from there.
  const folder = join(ROOT, 'node_modules/.cache/millrace-examples', name);
  const source = `examples/${name}/main.ts`;
  await mkdir(folder, { recursive: true });
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: ROOT,
    outDir: folder,
    paths: { millrace: [join(ROOT, 'src/index.ts')] },
  };
  const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files: [join(ROOT, source)] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  // A package that bears its own name is found by that name from inside.
  const exported = { name: 'millrace', type: 'module', exports: { '.': './src/index.js' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(exported));
  await run(process.execPath, [join(require.resolve('typescript/package.json'), '../bin/tsc'), '-p', folder]);
  return join(folder, source.replace(/\.ts$/, '.js'));
}
