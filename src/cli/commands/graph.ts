import { type Command, Option } from 'commander';
import { GRAPH_FORMATS, type GraphFormat } from '../../graph/formats.ts';
import { ConfigError } from '../../index.ts';
import type { Context } from '../context.ts';
import { loadPipeline } from '../pipeline-file.ts';

interface Flags {
  readonly format?: GraphFormat;
  readonly json?: boolean;
}

const HELP = `
Nothing is opened and nothing runs: the file is loaded and its pipeline planned. The pipeline is the default export, the only
export that is a pipeline, or the export you name. Several pipelines that run together are exported as an array.

  millrace graph clicks.ts
  millrace graph clicks.ts --format svg > clicks.svg
  millrace graph clicks.ts --format dot | dot -Tpng > clicks.png`;

/** `millrace graph FILE` */
export function graphCommand(parent: Command, context: Context): Command {
  return parent
    .command('graph')
    .summary('draw the topics, steps and stores of a pipeline')
    .description('draw the topics, steps and stores of a pipeline.')
    .argument('<file>', 'TypeScript or JavaScript file that exports a pipeline')
    .argument('[export]', 'name of the export')
    .addOption(new Option('-f, --format <name>', 'how to draw it (default: text)').choices(GRAPH_FORMATS))
    .option('--json', 'as --format json')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', HELP)
    .action((file: string, name: string | undefined, flags: Flags) => graph(context, file, name, flags));
}

async function graph({ output }: Context, file: string, name: string | undefined, flags: Flags): Promise<void> {
  const format = flags.format ?? (flags.json === true ? 'json' : 'text');
  if (flags.json === true && format !== 'json') {
    throw new ConfigError('ERR_OPTION', `--json and --format ${format} are both given`, {
      hint: 'leave one of them out',
    });
  }
  // Loaded only by commands that draw.
  const { draw } = await import('../../graph/draw.ts');
  const { library, pipeline } = await loadPipeline(file, name);
  await output.data(draw(library.describePipeline(pipeline), format));
}
