import { ConfigError } from '../errors.ts';
import { show } from './option-checks.ts';

/** Whether a value is thenable: a promise, or an object such as a query that becomes one when awaited. */
export function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/**
 * Returns the result of a function unless it is a promise, which nothing would await. @throws ConfigError
 * `ERR_ASYNC_FUNCTION`
 */
export function settled<T>(value: T): T {
  if (isThenable(value)) throw promised(value);
  return value;
}

/**
 * Returns the number that a function returned.
 *
 * @throws ConfigError `ERR_ASYNC_FUNCTION` for a promise.
 */
export function settledNumber(value: number): number {
  return typeof value === 'number' ? value : settled(value);
}

function promised(value: unknown): ConfigError {
  // Avoid an unhandled rejection: nothing else listens to this promise.
  (value as PromiseLike<unknown>).then(undefined, () => undefined);
  return new ConfigError('ERR_ASYNC_FUNCTION', 'a function returned a promise, which nothing awaits', { hint: HINT });
}

const HINT = 'do asynchronous work in mapAsync(…), and continue with its result';

const ASYNC = new Set(['AsyncFunction', 'AsyncGeneratorFunction']);

/**
 * Checks a required synchronous function.
 *
 * @throws ConfigError `ERR_OPTION` for anything else, `ERR_ASYNC_FUNCTION` as {@link checkSync}, before any record is
 * processed.
 */
export function checkWork(where: string, work: unknown, example: string): void {
  checkFunction(where, work, example);
  checkSync(where, work);
}

/** Like {@link checkWork}, for a function that may be asynchronous. @throws ConfigError `ERR_OPTION` */
export function checkFunction(where: string, work: unknown, example: string): void {
  if (typeof work === 'function') return;
  throw new ConfigError('ERR_OPTION', `${where} was given ${show(work)} instead of a function`, {
    hint: `give it a function: ${example}`,
  });
}

/** @throws ConfigError `ERR_ASYNC_FUNCTION` for a function that is marked `async`, before any record is processed. */
export function checkSync(where: string, work: unknown): void {
  if (typeof work !== 'function') return;
  const kind = (work as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (!ASYNC.has(kind as string)) return;
  throw new ConfigError('ERR_ASYNC_FUNCTION', `${where} was given an async function`, { hint: HINT });
}
