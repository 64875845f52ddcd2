import type { internals } from './internals.ts';

/**
 * Loads a module of the build that the package does not export. The sources would not do: what tsx makes of them carries
 * wrappers that keep the names of functions. `millrace` is imported from the same build, by the paths in
 * `tsconfig.bench.json`.
 *
 * @param path - Below `build-bench`, such as `runtime/task.js`.
 */
export async function built<M>(path: (typeof internals)[number]): Promise<M> {
  return (await import(new URL(`../../build-bench/${path}`, import.meta.url).href)) as M;
}
