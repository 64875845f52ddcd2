import type { Command } from 'commander';
import type { DashboardOptions } from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { fromZero } from '../flags.ts';
import { type LocationFlags, location } from '../location.ts';

interface Flags extends LocationFlags {
  readonly port?: number;
  readonly host?: string;
}

const HELP = `
Shows the topics, groups and lag of applications in other processes. An application has a dashboard of its own: millrace run
FILE --dashboard, or run(…, { dashboard: true }). The page is read-only and can be reached from this machine only: another
--host needs a token in MILLRACE_DASHBOARD_TOKEN.

  millrace dashboard --path data
  millrace dashboard --brokers localhost:9092 --port 8080`;

/** `millrace dashboard` */
export function dashboardCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'dashboard', 'serve a page with the topics and groups of a log until stopped')
    .option('--port <number>', 'port of the page (default: 7070, or the next free one); 0 for any', fromZero)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .addHelpText('after', HELP)
    .action((flags: Flags) => dashboard(context, flags));
}

async function dashboard(context: Context, flags: Flags): Promise<void> {
  const { env, output, signal } = context;
  const { brokers, path } = location(flags, env);
  await withClient(context, flags, async (client) => {
    const { serveLog } = await import('../../dashboard/index.ts');
    const served = await serveLog(client, brokers?.join(', ') ?? path ?? '.millrace', pageOptions(env, flags));
    output.say(`dashboard    ${served.url}`);
    // The page does not keep the process alive, and nothing else runs here.
    const alive = setInterval(() => undefined, 2 ** 30);
    try {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      clearInterval(alive);
      await served.close();
    }
  });
}

/** A token is a secret: it comes from the environment, because other users can see command lines. */
function pageOptions(
  { MILLRACE_DASHBOARD_TOKEN: token }: Context['env'],
  { host, port }: Pick<Flags, 'host' | 'port'>,
): DashboardOptions {
  return {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(token === undefined || token === '' ? {} : { token }),
  };
}
