import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** Path of a file in the data folder of the npm package `vega-datasets`. */
export function dataFile(name: string): string {
  // The package exports only its entry; the data folder is beside it.
  return join(require.resolve('vega-datasets'), '../../data', name);
}

/** The text of a data file. */
export function readData(name: string): Promise<string> {
  return readFile(dataFile(name), 'utf8');
}
