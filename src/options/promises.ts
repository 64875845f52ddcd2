import { ConfigError } from '../errors.ts';
import { show } from './option-checks.ts';

/** Whether something would have to be awaited: a promise, or a query that is one as soon as it is asked. */
export function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/** What a function returned, unless it is a promise: nobody would wait for it. @throws ConfigError `ERR_ASYNC_FUNCTION` */
export function settled<T>(value: T): T {
  if (isThenable(value)) throw promised(value);
  return value;
}

/**
 * A number that a function returned.
 *
 * @throws ConfigError `ERR_ASYNC_FUNCTION` for a promise.
 */
export function settledNumber(value: number): number {
  return typeof value === 'number' ? value : settled(value);
}

function promised(value: unknown): ConfigError {
  // It may still fail, and then nobody listens either.
  (value as PromiseLike<unknown>).then(undefined, () => undefined);
  return new ConfigError('ERR_ASYNC_FUNCTION', 'a function returned a promise, which nothing awaits', { hint: HINT });
}

const HINT = 'do asynchronous work in mapAsync(…), and continue with its result';

const ASYNC = new Set(['AsyncFunction', 'AsyncGeneratorFunction']);

/**
 * A function that a step cannot do without.
 *
 * @throws ConfigError `ERR_OPTION` for anything else, `ERR_ASYNC_FUNCTION` as {@link checkSync}, before any record meets it.
 */
export function checkWork(where: string, work: unknown, example: string): void {
  checkFunction(where, work, example);
  checkSync(where, work);
}

/** As {@link checkWork}, for one that may be asynchronous. @throws ConfigError `ERR_OPTION` */
export function checkFunction(where: string, work: unknown, example: string): void {
  if (typeof work === 'function') return;
  throw new ConfigError('ERR_OPTION', `${where} was given ${show(work)} instead of a function`, {
    hint: `give it a function: ${example}`,
  });
}

/** @throws ConfigError `ERR_ASYNC_FUNCTION` for a function that is marked `async`, before any record meets it. */
export function checkSync(where: string, work: unknown): void {
  if (typeof work !== 'function') return;
  const kind = (work as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (!ASYNC.has(kind as string)) return;
  throw new ConfigError('ERR_ASYNC_FUNCTION', `${where} was given an async function`, { hint: HINT });
}
