import type { Clock } from '../../dataflow/clock.ts';

/**
 * Waits for work, but not longer than a limit.
 *
 * @param limitMs - In ms.
 * @returns Whether the work is not over by then. It goes on.
 */
export async function isLateAfter(clock: Clock, limitMs: number, work: Promise<void>): Promise<boolean> {
  let cancel: (() => void) | undefined;
  const limit = new Promise<true>((resolve) => {
    cancel = clock.after(limitMs, () => resolve(true));
  });
  const late = await Promise.race([work.then(() => false), limit]);
  cancel?.();
  return late;
}

/** Takes all steps in order, whatever fails. @returns the first failure */
export async function firstFailure(
  steps: readonly (() => unknown)[],
): Promise<{ readonly error: unknown } | undefined> {
  let failure: { readonly error: unknown } | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failure ??= { error };
    }
  }
  return failure;
}
