/**
 * A value, or a promise of it. A log in memory answers synchronously, and its caller continues in the same turn: this
 * is how the test driver runs the engine synchronously.
 */
export type Awaitable<T> = T | Promise<T>;

/** Work that waits by `yield* until(…)` and is run by {@link inSteps}. */
export type Steps<R> = Generator<Promise<unknown>, R, never>;

/** Like `await` in an asynchronous function, but it does not give up the turn for a value that is already there. */
export function until<T>(value: Awaitable<T>): Iterable<Promise<T>, T, T> {
  if (value instanceof Promise) return promised(value);
  there.value = value;
  return there as Iterable<Promise<T>, T, T>;
}

function* promised<T>(value: Promise<T>): Generator<Promise<T>, T, T> {
  return yield value;
}

/**
 * The iterable, the iterator and its only result for a value that is already there. One shared object is enough,
 * because `yield*` reads the value immediately. It saves time: a commit in memory waits six times, and a generator for
 * each wait would take a tenth of the commit.
 */
const there = new (class There {
  readonly done = true;
  value: unknown;

  [Symbol.iterator](): this {
    return this;
  }

  next(): this {
    return this;
  }
})();

/**
 * Runs work to its end, or to the first promise that it waits for.
 *
 * @returns The result of the work, or a promise of it if the work waits for one.
 * @throws what the work throws before it waits; later errors reject the promise.
 */
export function inSteps<R>(work: Steps<R>): Awaitable<R> {
  const step = work.next();
  return step.done === true ? step.value : resume(work, step.value);
}

async function resume<R>(work: Steps<R>, first: Promise<unknown>): Promise<R> {
  for (let waited = first; ; ) {
    let step: IteratorResult<Promise<unknown>, R>;
    const [outcome] = await Promise.allSettled([waited]);
    if (outcome.status === 'fulfilled') step = work.next(outcome.value as never);
    else step = work.throw(outcome.reason);
    if (step.done === true) return step.value;
    waited = step.value;
  }
}

/** All values, like `Promise.all`. */
export function every<T>(values: readonly Awaitable<T>[]): Awaitable<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[]);
}

/** Starts work whose failure is reported elsewhere. */
export function quietly(work: () => Awaitable<unknown>): Awaitable<void> {
  try {
    const done = work();
    if (done instanceof Promise) return done.then(ignore, ignore);
  } catch {
    // Reported elsewhere.
  }
  return undefined;
}

const ignore = (): void => undefined;
