/** What is called when a signal is set, by the signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `done` once when the signal is set, unless that is cancelled before. However many wait for one signal, it has one
 * listener: Node 20 takes more than ten for a leak, and says so.
 *
 * @returns Cancels it.
 */
export function onAbort(signal: AbortSignal, done: () => void): () => void {
  const all = waiting.get(signal) ?? begin(signal);
  // Of its own: the same function may wait twice.
  const call = (): void => done();
  all.add(call);
  return () => void all.delete(call);
}

function begin(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  waiting.set(signal, all);
  const aborted = (): void => {
    waiting.delete(signal);
    for (const call of all) call();
  };
  signal.addEventListener('abort', aborted, { once: true });
  return all;
}
