import { Command } from 'commander';
import { type Config, SETTINGS, type Setting } from '../config.ts';
import { type Context, onLog } from '../context.ts';
import type { LocationFlags } from '../location.ts';
import { writeRows } from '../output.ts';

type Flags = LocationFlags & { readonly json?: boolean };

const HELP = `
Flags take precedence over the environment, the environment over the project file millrace.config.json, and that over the
defaults. The file is searched for from the current folder upwards, as far as the folder with the package.json. Paths in it
are relative to its folder.

  { "brokers": ["localhost:9092"], "sasl": "scram-sha-256", "saslUser": "ada", "saslPasswordFile": "/run/secrets/kafka" }`;

/** `millrace config …` */
export function configCommand(context: Context): Command {
  const config = new Command('config').summary('show the configuration and where it comes from');
  onLog(config, 'show', 'show every setting with its value and its source')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', HELP)
    .action((flags: Flags) => show(context, flags));
  return config;
}

async function show({ config, ownEnv = {}, output }: Context, flags: Flags): Promise<void> {
  const given = flags as Readonly<Record<string, string | boolean | undefined>>;
  const rows = SETTINGS.map((setting) => ({ setting: setting.name, ...found(setting, given, ownEnv, config) }));
  output.say(config === undefined ? 'there is no millrace.config.json' : `file ${config.file}`);
  await writeRows(output, rows, ['setting', 'value', 'source'], flags.json === true);
}

function found(
  setting: Setting,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
  config: Config | undefined,
): { readonly value: string | null; readonly source: string | null } {
  const shown = (value: string): string => (setting.secret === true ? '***' : value);
  const flag = flags[setting.name];
  if (flag !== undefined && setting.secret !== true)
    return { value: String(flag), source: `--${dashed(setting.name)}` };
  for (const name of setting.variables) {
    const value = env[name];
    if (value !== undefined && value !== '') return { value: shown(value), source: name };
  }
  const value = config?.values.get(setting.name);
  if (value !== undefined) return { value: shown(value), source: config?.file ?? null };
  return setting.default === undefined ? { value: null, source: null } : { value: setting.default, source: 'default' };
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
