/**
 * Adds to package-lock.json the binaries for other platforms that the registry at hand did not have. npm leaves such
 * optional packages out when it writes the lockfile, and `npm ci` then refuses it everywhere. An added entry carries no
 * checksum; npm puts it in when the package is installed from a registry that has it.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
}

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> };

/** Platform names as they stand at the end of package names, such as `binding-linux-arm64-musl`. */
const named =
  /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl|msvc|\w*eabi\w*))?$/;

function entryOf(name: string, version: string, owner: Entry): Entry {
  const [, os, cpu, abi] = named.exec(name) ?? [];
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`cannot tell the platform of ${name}@${version}`);
  }
  // Packages with a musl build of their own are for glibc otherwise; where there is only one, it suits both.
  const musl = Object.keys(owner.optionalDependencies ?? {}).some((other) => /linux-\w+-musl/.test(other));
  const libc = os !== 'linux' || cpu === 'arm' || !musl ? undefined : abi === 'musl' ? 'musl' : 'glibc';
  return {
    version,
    cpu: [cpu],
    ...(owner.dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    ...(owner.license === undefined ? {} : { license: owner.license }),
    optional: true,
    os: [os],
  };
}

const added: string[] = [];
for (const [path, owner] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    if (
      lock.packages[`node_modules/${name}`] !== undefined ||
      lock.packages[`${path}/node_modules/${name}`] !== undefined
    ) {
      continue;
    }
    lock.packages[`node_modules/${name}`] = entryOf(name, version, owner);
    added.push(name);
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
console.log(added.length === 0 ? 'package-lock.json is complete' : `added to package-lock.json: ${added.join(', ')}`);
