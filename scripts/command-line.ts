/** Holds the reference in docs/command-line.md, which is the help of the commands; with `--write` it writes it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Context } from '../src/cli/context.ts';
import { program } from '../src/cli/program.ts';

const file = new URL('../docs/command-line.md', import.meta.url);
const marker = '<!-- from here on: npx tsx scripts/command-line.ts --write -->';

/** No command runs, so nothing of it is needed. */
const none = {} as Context;

function reference(command: Command, names: readonly string[]): string[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length > 0) return children.flatMap((child) => reference(child, [...names, child.name()]));
  // As wide as a page, and not as the terminal of whoever runs this.
  command.configureHelp({ helpWidth: 110 });
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return [`### ${names.join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`];
}

const text = readFileSync(file, 'utf8');
const [before = ''] = text.split(marker);
const wanted = `${before}${marker}\n\n${reference(program(none, ''), ['millrace']).join('\n')}`;
if (process.argv.includes('--write')) writeFileSync(file, wanted);
else if (wanted !== text) {
  console.error('docs/command-line.md is not the help of the commands: npx tsx scripts/command-line.ts --write');
  process.exitCode = 1;
}
