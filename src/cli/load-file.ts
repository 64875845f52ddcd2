import { existsSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TransformOptions } from 'jiti';
import type * as library from '../index.ts';
import { ConfigError } from '../index.ts';
import { libraryError } from './library-error.ts';

/** The copy of the library that a file imports: the values of the file belong to that copy. */
export type Library = typeof library;

/** A loaded user file. */
export interface LoadedFile {
  readonly path: string;
  /** What it exports, by name. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly library: Library;
}

/** Node's exit code for an `await` that nothing can settle. */
const UNSETTLED = 13;

/** The error for a file that could not be loaded, with the reason and the place. */
class FileError extends Error {
  constructor(file: string, cause: unknown) {
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const place = placeOf(cause);
    super(`${file} cannot be loaded: ${reason}${place === undefined || reason.includes(place) ? '' : ` (${place})`}`, {
      cause,
    });
  }
}

/**
 * Loads a TypeScript or JavaScript file directly, in the same way on every version of Node.
 *
 * @param loaded - Called with each file outside `node_modules` that is loaded, even if one of them fails.
 * @throws ConfigError `ERR_FILE` if the file does not exist or cannot import the library; FileError if it fails.
 */
export async function loadFile(file: string, loaded: (path: string) => void = () => undefined): Promise<LoadedFile> {
  const path = resolve(file);
  if (!existsSync(path) || statSync(path).isDirectory()) {
    throw new ConfigError('ERR_FILE', `there is no file ${file}`, { hint: 'give the path of a TypeScript file' });
  }
  loaded(path);
  const found = await libraryOf(path);
  const never = (): void => {
    // Node ends a process in which nothing can happen any more, with this code and without a word.
    if (process.exitCode !== UNSETTLED) return;
    writeSync(2, `${file} cannot be loaded: it awaits something that never happens\n`);
    process.exitCode = 1;
  };
  process.once('exit', never);
  try {
    return { path, exports: (await imported(path, loaded)) as Record<string, unknown>, library: found };
  } catch (error) {
    throw libraryError(error) ?? new FileError(file, error);
  } finally {
    process.off('exit', never);
  }
}

async function libraryOf(path: string): Promise<Library> {
  let found: string;
  try {
    found = createRequire(path).resolve('millrace');
  } catch (cause) {
    throw new ConfigError('ERR_FILE', `${path} is in no project that has the package millrace`, {
      cause,
      hint: 'install it there: npm install millrace rxjs',
    });
  }
  return (await import(pathToFileURL(found).href)) as Library;
}

/**
 * Compiles files outside `node_modules` and imports packages as Node does, so that nothing exists twice, especially not
 * the library.
 */
async function imported(path: string, loaded: (path: string) => void): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const compiler = createJiti(path, { fsCache: false });
  const transform = (options: TransformOptions): { code: string } => {
    if (options.filename !== undefined) loaded(fileURLToPath(pathToFileURL(options.filename)));
    return { code: compiler.transform(options) };
  };
  const jiti = createJiti(path, {
    fsCache: false,
    sourceMaps: true,
    interopDefault: true,
    tsconfigPaths: true,
    transform,
  });
  return jiti.import(path);
}

/** `file:line:column` of the first stack frame in a file of the user. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const lines = (error.stack ?? '').split('\n').slice(1);
  const own = lines.find((line) => /:\d+:\d+\)?$/.test(line) && !/[\\/](?:node_modules|dist)[\\/]|node:/.test(line));
  return own?.match(/(?:file:\/\/)?([^\s()]*:\d+:\d+)\)?$/)?.[1];
}
