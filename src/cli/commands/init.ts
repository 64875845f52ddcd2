import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../../index.ts';
import type { Context } from '../context.ts';
import { ExitError } from '../exit.ts';
import { projectFiles } from '../init-files.ts';

interface Flags {
  readonly package?: string;
  readonly install: boolean;
}

const HELP = `
Creates a TypeScript project with a windowed pipeline, a program that feeds and runs it, and a test, and installs its packages
with npm. Then:

  cd shop
  npm start      # orders, and every few seconds what each shop has sold
  npm test`;

/** `millrace init NAME` */
export function initCommand(parent: Command, context: Context, version: string): Command {
  return parent
    .command('init')
    .summary('create a project with a pipeline and a test')
    .description('create a project with a pipeline and a test.')
    .argument('<name>', 'folder of the project; it must be new or empty')
    .option('--package <file>', 'tarball of millrace to install instead of the one of the registry')
    .option('--no-install', 'install nothing')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', HELP)
    .action((name: string, flags: Flags) => init(context, version, name, flags));
}

async function init({ output, signal }: Context, version: string, name: string, flags: Flags): Promise<void> {
  const folder = resolve(name);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new ConfigError('ERR_OPTION', `${name} already exists and is not empty`, {
      hint: 'give the name of a new folder',
    });
  }
  const project = basename(folder).toLowerCase();
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(project)) {
    throw new ConfigError('ERR_OPTION', `${basename(folder)} is not a package name`, {
      hint: 'use letters, digits, ".", "_" and "-"',
    });
  }
  const tarball = flags.package === undefined ? undefined : resolve(flags.package);
  if (tarball !== undefined && !existsSync(tarball)) {
    throw new ConfigError('ERR_OPTION', `--package: there is no file ${flags.package}`, { hint: 'check the path' });
  }
  const files = projectFiles(project, tarball === undefined ? `^${version}` : `file:${tarball}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  output.say(`created ${name}: ${Object.keys(files).join(', ')}`);
  if (flags.install) await npmInstall(folder, (text) => output.say(text), signal);
  const steps = [
    `cd ${relative(process.cwd(), folder)}`,
    ...(flags.install ? [] : ['npm install']),
    'npm start',
    'npm test',
  ];
  output.say(`next:\n${steps.map((step) => `  ${step}`).join('\n')}`);
}

async function npmInstall(folder: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  say('installing its packages');
  const args = ['install', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const child = spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
    signal,
  });
  const code = await new Promise<number | null>((ended, failed) => {
    child.on('error', failed);
    child.on('exit', ended);
  });
  if (code !== 0) throw new ExitError(1, `npm install failed; the files are in ${folder}`);
}
