import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Options that every example accepts on its command line. */
export interface Options {
  /** Folder of the embedded log. */
  readonly path: string;
  /** The other options, by name. */
  readonly given: Readonly<Record<string, string | boolean | undefined>>;
}

export interface Usage {
  /** The text of `--help`, without the common options. */
  readonly text: string;
  /** Default folder of the log; `--path` overrides it. */
  readonly path: string | ((given: Options['given']) => string);
  /** Options of this example only. */
  readonly options?: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
}

const COMMON = `
  --path DIR   folder of the embedded log
  --fresh      delete that folder first; without it a second run continues where the last one stopped
  --help       this text`;

/** Parses the command line. Prints help and exits (0), or prints what is wrong and exits (2). */
export function readOptions(usage: Usage): Options {
  try {
    const { values } = parseArgs({
      options: {
        ...usage.options,
        path: { type: 'string' },
        fresh: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const given = values as Options['given'];
    if (given['help'] === true) {
      console.log(`${usage.text}${COMMON}`);
      process.exit(0);
    }
    const standard = typeof usage.path === 'string' ? usage.path : usage.path(given);
    const path = typeof given['path'] === 'string' ? given['path'] : standard;
    if (given['fresh'] === true && existsSync(path)) {
      // Only a log may be deleted with all its files, whatever path was typed.
      if (!existsSync(join(path, 'millrace.json'))) throw new Error(`--fresh: ${path} holds no log; it was left alone`);
      rmSync(path, { recursive: true });
    }
    return { path, given };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nTry --help.`);
    process.exit(2);
  }
}
