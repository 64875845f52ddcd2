/**
 * Prepares all batches of a call. If one is refused at once, those still in preparation are abandoned without an
 * unhandled rejection.
 */
export function prepareAll<T, B>(batches: readonly T[], prepare: (batch: T) => B | Promise<B>): (B | Promise<B>)[] {
  const prepared: (B | Promise<B>)[] = [];
  try {
    for (const batch of batches) prepared.push(prepare(batch));
  } catch (error) {
    for (const output of prepared) if (output instanceof Promise) output.catch(() => undefined);
    throw error;
  }
  return prepared;
}
