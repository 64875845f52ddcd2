import type { Command } from 'commander';
import { type Client, connect } from '../index.ts';
import { type LocationFlags, location, locationFlags } from './location.ts';
import type { Output } from './output.ts';

/** What commands need of the process. */
export interface Context {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Opens the log that flags and environment name, for as long as `work` takes. */
export async function withClient<T>(
  context: Context,
  flags: LocationFlags,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(location(flags, context.env));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** A command on a log, with the flags that name it. */
export function onLog(parent: Command, name: string, summary: string): Command {
  return locationFlags(parent.command(name).summary(summary).description(`${summary}.`));
}
