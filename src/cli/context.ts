import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { type Client, type ConnectOptions, connect, type Logger } from '../index.ts';
import type { Config } from './config.ts';
import { asFlags } from './explain.ts';
import { type LocationFlags, location, locationFlags } from './location.ts';
import type { Output } from './output.ts';

/** What commands need of the process. */
export interface Context {
  readonly output: Output;
  /** The environment, with what the file of the project says where it says nothing. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The environment alone. */
  readonly ownEnv?: Readonly<Record<string, string | undefined>>;
  /** The file of the project. */
  readonly config?: Config;
  readonly input: Readable;
  /** Aborted by Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, where one came: for what could not be stopped cleanly. */
  readonly signalled?: () => number | undefined;
  /** The `millrace dev` that this process runs for: it is told of the files that are loaded. */
  readonly parent?: { loaded(path: string): void };
  readonly now: () => number;
}

/** How a command opens the log, besides what flags and environment say. */
export interface OpenOptions extends Pick<ConnectOptions, 'compression'> {
  /** Begins a log in a folder that has none (false). */
  readonly create?: boolean;
}

/** What each command on a log may be told, besides where that is. */
export interface LogFlags extends LocationFlags {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Opens the log that flags and environment name, for as long as `work` takes. */
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

/** A command on a log, with the flags that name it. */
export function onLog(parent: Command, name: string, summary: string): Command {
  return locationFlags(parent.command(name).summary(summary).description(`${summary}.`))
    .option('-q, --quiet', 'print only data and errors')
    .option('-v, --verbose', 'also print information messages')
    .option('--debug', 'print stack traces of errors');
}

/** What the library warns of, one line each. */
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
