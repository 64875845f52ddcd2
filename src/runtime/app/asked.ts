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

/** An application has ended without an error. Where it has read a bounded input, somebody should have waited for that. */
export function sayIfNobodyWaited(app: object, { applicationId, logger, signal, until }: AppOptions): void {
  if (until !== 'end' || signal?.aborted === true || ASKED.has(app)) return;
  logger?.warn(
    { applicationId },
    'the input has been read to its end, and nothing has waited for that: `await run(…)` goes on at once, `await run(…).done` waits',
  );
}
