/**
 * Loads a module of the build that the package does not export. The sources would not do: what tsx makes of them carries
 * wrappers that keep the names of functions.
 *
 * @param path - Below `dist`, such as `runtime/task.js`.
 */
export async function built<M>(path: string): Promise<M> {
  return (await import(new URL(`../../dist/${path}`, import.meta.url).href)) as M;
}
