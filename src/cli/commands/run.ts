import { relative } from 'node:path';
import { type Command, Option } from 'commander';
import type { App, RunOptions } from '../../index.ts';
import { counted } from '../../options/counted.ts';
import { type Context, onLog } from '../context.ts';
import { ExitError } from '../exit.ts';
import { STOPPING } from '../parent.ts';
import { loadPipeline, type PipelineFile } from '../pipeline-file.ts';
import { type RunFlags, runSettings, timeoutMs } from '../run-settings.ts';
import { startBox } from '../start-box.ts';

const HELP = `
The pipeline is the default export of the file, its only export that is a pipeline, or the export you name. An export called
options holds options of run(…): applicationId, onRecordError, idle, path, brokers …. Flags take precedence over the
environment, and the environment over the file. TypeScript runs as it is; types are not checked.

Ctrl-C and SIGTERM stop it once everything read is finished and committed; a second one ends it at once.

  millrace run clicks.ts
  millrace run clicks.ts perMinute --path data --exit-on-end
  millrace run clicks.ts --brokers localhost:9092 --guarantee exactly-once --state-dir state`;

/** How long a start may take without a word: longer than the first attempt to reach a broker. */
const PATIENCE_MS = 8000;

/** The flags of commands that run a pipeline. */
export function runFlags(command: Command): Command {
  return command
    .argument('<file>', 'TypeScript or JavaScript file that exports a pipeline')
    .argument('[export]', 'name of the export')
    .option(
      '-a, --app <name>',
      'applicationId, which offsets and state are found by (default: from the file, or its name)',
    )
    .addOption(new Option('--from <place>', 'where the first start begins').choices(['earliest', 'latest']))
    .addOption(
      new Option('--guarantee <name>', 'delivery guarantee on Kafka').choices(['at-least-once', 'exactly-once']),
    )
    .option('--state-dir <folder>', 'folder for the state of an application on Kafka (default: in memory)')
    .option('--idle <duration>', 'after this long without records, event time advances with the clock, such as 5s')
    .option('--dashboard [port]', 'serve the live dashboard on this machine (default port: 7070; dev always does)');
}

/** `millrace run FILE` */
export function runCommand(parent: Command, context: Context, version: string): Command {
  return runFlags(onLog(parent, 'run', 'run the pipeline of a file until it is stopped'))
    .option('-e, --exit-on-end', 'exit when all records that exist now are processed')
    .option('--close-windows', 'with --exit-on-end: the input is complete, so emit open windows')
    .option('--timeout <duration>', 'stop after this long, and exit with 124')
    .option('--json', 'print a summary as one JSON object at the end')
    .addHelpText('after', HELP)
    .action((file: string, name: string | undefined, flags: RunFlags) => run(context, version, file, name, flags));
}

async function run(
  context: Context,
  version: string,
  file: string,
  name: string | undefined,
  flags: RunFlags,
): Promise<void> {
  const { output, parent, signal } = context;
  const limitMs = timeoutMs(flags);
  const pipeline = await loadPipeline(file, name, (path) => parent?.loaded(path));
  const options = runSettings(pipeline, flags, context.env, signal, parent !== undefined);
  const say = (text: string): void => {
    if (flags.quiet !== true) output.say(text);
  };
  const app = pipeline.library.run(pipeline.pipeline, options);
  parent?.running();
  say(boxOf(version, pipeline, options, app, context.config?.file));
  tellOfReadiness(app, say, context.now);
  app.dashboard.then(
    (page) => (page === undefined ? undefined : say(`dashboard    ${page.url}`)),
    // The log reports it.
    () => undefined,
  );
  // Under `dev` it is also stopped when a file has changed: the parent process reports why.
  if (parent === undefined) signal.addEventListener('abort', () => say(STOPPING), { once: true });
  const timedOut = await done(app, context, limitMs);
  const { dropped, errors, late, recordsIn, recordsOut } = app.snapshot();
  say(
    `stopped: ${counted(recordsIn, 'record')} in, ${recordsOut} out, ${late} late, ${dropped} dropped, ${errors} failed`,
  );
  if (flags.json === true) await output.data(`${JSON.stringify(app.snapshot())}\n`);
  if (timedOut !== undefined) {
    throw new ExitError(124, [`stopped after ${flags.timeout}`, ...timedOut].join('; it waited: '));
  }
}

function boxOf(
  version: string,
  { name, path }: PipelineFile,
  options: RunOptions,
  { graph }: App,
  configFile: string | undefined,
): string {
  const { applicationId, stateDir, until } = options;
  return startBox({
    version,
    applicationId,
    file: relative(process.cwd(), path),
    exported: name,
    location: options,
    stateDir,
    configFile,
    until,
    stages: graph.stages.length,
    stores: graph.stages.reduce((sum, { steps }) => sum + steps.flatMap(({ stores }) => stores).length, 0),
  });
}

/** Tells when it is ready and, if that takes long, once what it waits for; also where the file says `logger: false`. */
function tellOfReadiness(app: App, say: (text: string) => void, now: () => number): void {
  const started = now();
  const timer = setTimeout(() => {
    const reasons = app.snapshot().waitingFor;
    if (reasons.length > 0)
      say(`not ready after ${PATIENCE_MS / 1000} s, still trying; it waits for: ${reasons.join('; ')}`);
  }, PATIENCE_MS);
  const over = (): void => clearTimeout(timer);
  app.ready.then(over, over);
  app.ready.then(
    () =>
      say(
        `ready after ${((now() - started) / 1000).toFixed(1)} s, with ${counted(app.snapshot().tasks.length, 'task')}`,
      ),
    // `done` reports the failure.
    () => undefined,
  );
}

/** @returns What it waited for if its time ran out. @throws the error that ended the application */
async function done(
  app: App,
  { signal, signalled }: Context,
  limitMs: number | undefined,
): Promise<readonly string[] | undefined> {
  let waited: readonly string[] | undefined;
  const timer =
    limitMs === undefined
      ? undefined
      : setTimeout(() => {
          waited = app.snapshot().waitingFor;
          app.stop().catch(() => undefined);
        }, limitMs);
  try {
    await app.done;
  } catch (error) {
    const code = signalled?.();
    if (code === undefined || !signal.aborted) throw error;
    throw new ExitError(
      code,
      `it could not be stopped cleanly: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    clearTimeout(timer);
  }
  return waited;
}
