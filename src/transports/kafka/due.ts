import type { Clock } from '../../dataflow/clock.ts';

/**
 * Calls back after a time, but not before the event loop has read what has arrived by then: after the loop was blocked,
 * timers run before sockets are read. As long as more arrives with each turn of the loop, the time is not over.
 *
 * @param received - Returns a counter that grows with what was read.
 * @returns A function that ends the wait.
 */
export function whenDue(clock: Clock, ms: number, received: () => number, over: () => void): () => void {
  let ended = false;
  const look = (): void => {
    const before = received();
    clock.soon(() => {
      if (ended) return;
      if (received() === before) over();
      else look();
    });
  };
  const cancel = clock.after(ms, look);
  return () => {
    ended = true;
    cancel();
  };
}
