import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { type Client, type ConnectOptions, connect, type Logger } from '../index.ts';
import type { Config } from './config.ts';
import { asFlags } from './explain.ts';
import { type LocationFlags, location, locationFlags } from './location.ts';
import type { Output } from './output.ts';

/** What commands need from the process. */
export interface Context {
  readonly output: Output;
  /** The environment, with missing values filled in from the project file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only the environment. */
  readonly ownEnv?: Readonly<Record<string, string | undefined>>;
  /** The project file. */
  readonly config?: Config;
  readonly input: Readable;
  /** Aborted by Ctrl-C, and when the reader of the output is gone. */
  readonly signal: AbortSignal;
  /** The exit code for a received signal, if any, for work that could not be stopped cleanly. */
  readonly signalled?: () => number | undefined;
  /** The `millrace dev` process that started this one; it is told about loaded files. */
  readonly parent?: { loaded(path: string): void; running(): void };
  readonly now: () => number;
}

/** How a command opens the log, in addition to flags and environment. */
export interface OpenOptions extends Pick<ConnectOptions, 'compression'> {
  /** Whether to create a log in a folder without one (default: false). */
  readonly create?: boolean;
}

/** Flags of all commands on a log. */
export interface LogFlags extends LocationFlags {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Opens the log that flags and environment name while `work` runs. */
export async function withClient<T>(
  context: Context,
  flags: LogFlags,
  work: (client: Client) => Promise<T>,
  { create = false, ...options }: OpenOptions = {},
): Promise<T> {
  const logger = warnings(context.output, flags.verbose === true);
  const at = location(flags, context.env);
  const where = at.path === undefined ? { ...at, kafka: { ...at.kafka, logger } } : { ...at, create };
  const client = await connect({ ...where, ...options, logger });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Adds a command on a log, with the flags that locate it. */
export function onLog(parent: Command, name: string, summary: string): Command {
  return locationFlags(parent.command(name).summary(summary).description(`${summary}.`))
    .option('-q, --quiet', 'print only data and errors')
    .option('-v, --verbose', 'also print information messages')
    .option('--debug', 'print stack traces of errors');
}

/** Prints warnings of the library, one line each. */
function warnings({ say }: Output, verbose: boolean): Logger {
  const tell =
    (prefix: readonly string[]) =>
    (fields: object, message: string): void => {
      const told = Object.entries(fields as Record<string, unknown>)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      say(asFlags([...prefix, message, ...(told.length === 0 ? [] : [`(${told.join(', ')})`])].join(' ')));
    };
  const [warn, info] = [tell(['warning:']), verbose ? tell([]) : () => undefined];
  return { debug: () => undefined, info, warn, error: warn };
}
