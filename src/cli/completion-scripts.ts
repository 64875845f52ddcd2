/** The words that may follow a command. */
export interface Words {
  /** The full name of the command, separated by spaces. */
  readonly path: string;
  readonly words: readonly string[];
}

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** The completion script for a shell. If nothing matches, the shell completes file names. */
export function scriptFor(shell: Shell, commands: readonly Words[]): string {
  if (shell === 'fish') return fish(commands);
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}` : bash(commands);
}

/** Finds the longest matching command and offers the words that may follow it. */
function bash(commands: readonly Words[]): string {
  const cases = commands.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`);
  return `_millrace() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' word
  _millrace_words() {
    case "$1" in
${cases.map((line) => `  ${line}`).join('\n')}
      *) return 1 ;;
    esac
  }
  _millrace_words ''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if _millrace_words "\${path:+$path }$word"; then path="\${path:+$path }$word"; fi
  done
  _millrace_words "$path"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _millrace millrace
`;
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ path, words }) => {
    const names = path === '' ? [] : path.split(' ');
    const parent = commands.filter((each) => each.path.startsWith(path === '' ? '' : `${path} `));
    const next = new Set(parent.map((each) => each.path.split(' ')[names.length]).filter((name) => name));
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const deeper = next.size === 0 ? [] : [`not __fish_seen_subcommand_from ${[...next].join(' ')}`];
    const condition = [...seen, ...deeper].join('; and ');
    return words.map((word) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-o ${word.slice(1)}`
          : `-a ${word}`;
      return `complete -c millrace${condition === '' ? '' : ` -n '${condition}'`} ${what}`;
    });
  });
  return `${lines.join('\n')}\n`;
}
