import { Argument, type Command } from 'commander';
import { SHELLS, type Shell, scriptFor, type Words } from '../completion-scripts.ts';
import type { Context } from '../context.ts';

const HELP = `
  bash: echo 'eval "$(millrace completion bash)"' >> ~/.bashrc
  zsh:  echo 'eval "$(millrace completion zsh)"' >> ~/.zshrc
  fish: millrace completion fish > ~/.config/fish/completions/millrace.fish`;

/** `millrace completion SHELL` */
export function completionCommand(parent: Command, { output }: Context): Command {
  return parent
    .command('completion')
    .summary('print a script that completes commands and options in a shell')
    .description('print a script that completes commands and options in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(async (shell: Shell) => {
      await output.data(scriptFor(shell, wordsOf(parent, [])));
    });
}

/** The words that may follow each command, by its full name. */
function wordsOf(command: Command, names: readonly string[]): readonly Words[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  const options = command.options.flatMap(({ hidden, long, short }) => (hidden ? [] : [long ?? short ?? '']));
  const own = { path: names.join(' '), words: [...children.map((child) => child.name()), ...options, '--help'] };
  return [own, ...children.flatMap((child) => wordsOf(child, [...names, child.name()]))];
}
