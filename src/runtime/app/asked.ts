import type { MillraceError } from '../../errors.ts';
import type { AppOptions } from './app-options.ts';

/** Applications of which the program has used any member. */
const ASKED = new WeakSet<object>();

/**
 * Wraps an application to note whether any member of it is used. Reading `then`, as `await` does, does not count: it
 * does not exist, and a program that awaits the result of `run` actually means `done`.
 */
export function noting<T extends object>(app: T): T {
  return new Proxy(app, {
    get(_, name) {
      if (name !== 'then') ASKED.add(app);
      const value: unknown = Reflect.get(app, name, app);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(app) : value;
    },
  });
}

/** Logs that an application has ended and, for a bounded run, whether nothing has waited for that. */
export function sayEnded(
  app: object,
  { applicationId, logger, signal, until }: AppOptions,
  error?: MillraceError,
): void {
  if (error !== undefined) {
    logger?.error({ applicationId, code: error.code, error: error.message }, 'failed');
    return;
  }
  if (until === 'end' && signal?.aborted !== true && !ASKED.has(app)) logger?.warn({ applicationId }, NOBODY_WAITED);
  logger?.info({ applicationId }, 'stopped');
}

const NOBODY_WAITED =
  'the input has been read to its end, and nothing has waited for that: `await run(…)` continues at once, `await run(…).done` waits';
