import { ConfigError, type Pipeline } from '../index.ts';
import { meant } from '../options/nearest.ts';
import { type Library, type LoadedFile, loadFile } from './load-file.ts';

/** A pipeline of a file. */
export interface PipelineFile extends LoadedFile {
  /** The name of the export; `default` for the one without a name. */
  readonly name: string;
  readonly pipeline: Pipeline;
}

/**
 * Loads the pipeline of a file: the export with the given name, or the default export, or the only export that is a
 * pipeline. A topic alone does not count.
 *
 * @throws ConfigError `ERR_FILE`, FileError, and errors of the pipeline.
 */
export async function loadPipeline(
  file: string,
  wanted: string | undefined,
  loaded?: (path: string) => void,
): Promise<PipelineFile> {
  const found = await loadFile(file, loaded);
  const { exports, library } = found;
  const names = Object.keys(exports).filter((name) => looksLikePipeline(exports[name]));
  const name = wanted ?? chosen(file, names, exports, library);
  if (!Object.hasOwn(exports, name)) {
    throw new ConfigError('ERR_FILE', `${file} exports no ${name}`, { hint: hintOf(names, name) });
  }
  if (!looksLikePipeline(exports[name])) {
    throw new ConfigError('ERR_FILE', `${name} of ${file} is not a pipeline`, { hint: hintOf(names, name) });
  }
  return { ...found, name, pipeline: exports[name] as Pipeline };
}

function chosen(
  file: string,
  names: readonly string[],
  exports: Readonly<Record<string, unknown>>,
  library: Library,
): string {
  if (names.includes('default')) return 'default';
  const pipelines = names.filter((name) => !isTopicAlone(exports[name] as Pipeline, library));
  const [only, ...others] = pipelines;
  if (only === undefined) {
    throw new ConfigError('ERR_FILE', `${file} exports no pipeline`, {
      hint: 'export it: export default clicks.pipe(…), or under a name',
    });
  }
  if (others.length === 0) return only;
  throw new ConfigError('ERR_FILE', `${file} exports ${pipelines.length} pipelines: ${pipelines.join(', ')}`, {
    hint: `name one of them after the file, or export several that run together as an array: export default [${pipelines.join(', ')}]`,
  });
}

const hintOf = (names: readonly string[], name: string): string =>
  names.length === 0 ? 'export a pipeline: export default clicks.pipe(…)' : meant(name, names);

/** Whether a value is an Observable of any copy of RxJS, or several. */
function looksLikePipeline(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((part) => looksLikePipeline(part));
  const { pipe, subscribe } = (value ?? {}) as { readonly pipe?: unknown; readonly subscribe?: unknown };
  return typeof pipe === 'function' && typeof subscribe === 'function';
}

/** Whether a pipeline only reads a topic, such as the declaration of a topic or a table. */
function isTopicAlone(pipeline: Pipeline, { describePipeline }: Library): boolean {
  try {
    const steps = describePipeline(pipeline).stages.flatMap((stage) => stage.steps);
    return steps.every(({ kind, upstream }) => upstream.length === 0 && (kind === 'source' || kind === 'table'));
  } catch {
    // Running it will report the error.
    return false;
  }
}
