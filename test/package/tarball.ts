import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;

/** The names by which the package is imported. */
export const doors: readonly string[] = Object.keys(manifest.exports)
  .filter((door) => door !== './package.json')
  .map((door) => manifest.name + door.slice(1));

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Packs what would be published. Removed by the caller. */
export function pack(): { readonly folder: string; readonly tarball: string; readonly files: readonly string[] } {
  if (!existsSync(`${root}dist/index.js`)) throw new Error('dist/index.js is missing – run npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
  const printed = execFileSync(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const report = JSON.parse(printed) as Record<string, PackReport> | PackReport[];
  const [packed] = Object.values(report);
  if (packed === undefined) throw new Error(`npm pack said nothing of a package: ${printed}`);
  return { folder, tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/**
 * A fresh folder with the tarball in its `node_modules`, and beside it nothing but the declared dependencies (links to
 * the installed ones, so that no network is needed). What is not declared is not found.
 */
export function install(tarball: string, without: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-user-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, manifest.name), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, manifest.name), '--strip-components=1']);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (without.includes(name)) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return folder;
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
