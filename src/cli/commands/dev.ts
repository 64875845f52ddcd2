import type { Command } from 'commander';
import { type Context, onLog } from '../context.ts';
import { DevRunner } from '../dev-runner.ts';
import type { RunFlags } from '../run-settings.ts';
import { runFlags } from './run.ts';

const HELP = `
Works like run, and restarts after each change of a loaded file: the running process stops first, and finishes and commits what
it has read, so nothing is lost or counted twice. A file that cannot be loaded, or an application that fails, is reported;
the next change starts it again.

  millrace dev clicks.ts`;

/** `millrace dev FILE` */
export function devCommand(parent: Command, context: Context): Command {
  return runFlags(onLog(parent, 'dev', 'run the pipeline of a file, and run it again whenever it changes'))
    .addHelpText('after', HELP)
    .action((file: string, _name: string | undefined, _flags: RunFlags, command: Command) =>
      dev(context, file, command),
    );
}

async function dev({ output, signal, signalled }: Context, file: string, command: Command): Promise<void> {
  const runner = new DevRunner({
    file,
    args: childArgs(command),
    say: (text) => output.say(text),
  });
  const stop = (): void => void runner.stop();
  signal.addEventListener('abort', stop, { once: true });
  // A second signal ends this process at once, and the child process with it.
  process.once('exit', () => runner.kill());
  if (signal.aborted) stop();
  else runner.start();
  await runner.ended;
  if (runner.failedToStop) process.exitCode = signalled?.() ?? 1;
}

/** The arguments of this command as on the command line, for `run`. */
function childArgs(command: Command): readonly string[] {
  const given: string[] = [];
  for (const option of command.options) {
    const value = command.getOptionValue(option.attributeName()) as string | true | undefined;
    if (value === undefined) continue;
    const flag = option.long ?? option.short ?? '';
    given.push(...(value === true ? [flag] : [flag, value]));
  }
  return [...command.args, ...given];
}
