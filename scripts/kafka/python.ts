import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from './java.ts';

const run = promisify(execFile);

const requirements = fileURLToPath(new URL('../../test/kafka/python/requirements.txt', import.meta.url));

/** Why kafka-python cannot be run here, as a sentence; `undefined` when it can. */
export async function whyNoPython(): Promise<string | undefined> {
  const probe = 'import ensurepip, sys, venv; assert sys.version_info >= (3, 10)';
  const works = await run('python3', ['-c', probe]).then(
    () => true,
    () => false,
  );
  return works ? undefined : 'kafka-python needs Python 3.10 or newer with venv, and there is no such `python3` here';
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * A Python that has kafka-python and its codecs, in the versions of `requirements.txt`. Makes a virtual environment on
 * first use, which takes some seconds; later calls only look whether it is there.
 */
export async function pythonWithKafka(): Promise<string> {
  const reason = await whyNoPython();
  if (reason !== undefined) throw new Error(reason);
  const { stdout: version } = await run('python3', ['-VV']);
  // Other packages or another Python have another folder.
  const id = createHash('sha256')
    .update(await readFile(requirements))
    .update(version)
    .digest('hex')
    .slice(0, 8);
  const folder = join(cacheFolder, `python-${id}`);
  if (!(await isThere(join(folder, 'complete')))) await makeEnvironment(folder);
  return join(folder, 'bin', 'python');
}

async function makeEnvironment(folder: string): Promise<void> {
  // An environment that was not finished is made anew: it knows its own place, so it cannot be made beside it and moved.
  await rm(folder, { recursive: true, force: true });
  await mkdir(cacheFolder, { recursive: true });
  const python = join(folder, 'bin', 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements];
  try {
    await run('python3', ['-m', 'venv', folder]);
    await run(python, pip, { maxBuffer: 64 * 1024 * 1024 });
    await run(python, ['-c', 'import kafka, lz4, msgpack, snappy, zstandard']);
    await writeFile(join(folder, 'complete'), '');
  } catch (cause) {
    const output = (cause as { readonly stderr?: string }).stderr?.trim().split('\n').slice(-5).join('\n') ?? '';
    throw new Error(`kafka-python could not be installed: ${output || String(cause)}`, { cause });
  }
}
