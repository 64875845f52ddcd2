import type { MillraceError } from '../../errors.ts';
import type { AppOptions } from './app-options.ts';

/** Applications that the program has asked for anything. */
const ASKED = new WeakSet<object>();

/**
 * An application that notes whether it is asked for anything. That `await` looks for its `then` does not count: there is none, and
 * whoever awaits what `run` returns means its `done`.
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

/** Says that an application has ended; of one that has read a bounded input, also when nothing has waited for that. */
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
  'the input has been read to its end, and nothing has waited for that: `await run(…)` goes on at once, `await run(…).done` waits';
