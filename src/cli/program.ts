import { Command, CommanderError } from 'commander';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { consumeCommand } from './commands/consume.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { devCommand } from './commands/dev.ts';
import { dlqCommand } from './commands/dlq.ts';
import { doctorCommand } from './commands/doctor.ts';
import { graphCommand } from './commands/graph.ts';
import { groupsCommand, lagCommand } from './commands/groups.ts';
import { initCommand } from './commands/init.ts';
import { produceCommand } from './commands/produce.ts';
import { resetCommand } from './commands/reset.ts';
import { runCommand } from './commands/run.ts';
import { stateCommand } from './commands/state.ts';
import { topicsCommand } from './commands/topics.ts';
import type { Context } from './context.ts';
import { exitCodeOf, isAbort } from './exit.ts';
import { explain } from './explain.ts';
import { withOwnFlag } from './foreign-flags.ts';
import type { Output } from './output.ts';

/** The commands, also used for help and documentation. */
export function program(context: Context, version: string): Command {
  const command = new Command('millrace')
    .description(
      'Runs and draws pipelines; reads, writes and administers topics of an embedded log or a Kafka cluster.',
    )
    .version(version, '-V, --version')
    .option('--debug', 'print stack traces of errors')
    .addCommand(topicsCommand(context))
    .addCommand(groupsCommand(context))
    .addCommand(stateCommand(context))
    .addCommand(dlqCommand(context))
    .addCommand(configCommand(context));
  consumeCommand(command, context);
  produceCommand(command, context);
  lagCommand(command, context);
  resetCommand(command, context);
  runCommand(command, context, version);
  devCommand(command, context);
  dashboardCommand(command, context);
  graphCommand(command, context);
  doctorCommand(command, context);
  initCommand(command, context, version);
  completionCommand(command, context);
  return command;
}

/**
 * Runs one command.
 *
 * @param args - Without the names of Node and the program.
 * @returns The exit code.
 */
export async function main(args: readonly string[], context: Context, version: string): Promise<number> {
  const { output } = context;
  let quiet = false;
  const told = { ...context, output: hushed(output, () => quiet) };
  const command = program(told, version);
  quietly(command, context);
  command.hook('preAction', (_, action) => {
    quiet = action.opts<{ quiet?: boolean }>().quiet === true;
  });
  try {
    await command.parseAsync([...args], { from: 'user' });
    if (output.failure === undefined) return 0;
    throw output.failure;
  } catch (error) {
    const code = context.signalled?.();
    if (code !== undefined && isAbort(error, context.signal)) {
      output.say('interrupted');
      return code;
    }
    // Commander has already reported wrong use.
    if (!(error instanceof CommanderError)) output.say(explain(error, args.includes('--debug')));
    return exitCodeOf(error);
  }
}

/** An output that suppresses messages if it is quiet; data is still written. */
function hushed(output: Output, quiet: () => boolean): Output {
  return {
    data: (text) => output.data(text),
    deliver: (text) => output.deliver(text),
    say: (text) => {
      if (!quiet()) output.say(text);
    },
    get tty() {
      return output.tty;
    },
    get failure() {
      return output.failure;
    },
  };
}

/** By default commander ends the process and writes directly; here it throws and uses the output of the context. */
function quietly(command: Command, context: Context): void {
  command.exitOverride().showSuggestionAfterError().showHelpAfterError('(--help shows what there is)');
  command.configureOutput({
    writeOut: (text) => void context.output.data(text),
    writeErr: (text) => context.output.say(text.trimEnd()),
    outputError: (text, write) => write(withOwnFlag(text)),
  });
  for (const child of command.commands) quietly(child, context);
}
