import type { Clock } from '../../dataflow/clock.ts';

/**
 * Calls back when some time is over, but not before the event loop has read what came in until then: after it was
 * blocked, timers run before sockets are read. As long as more comes in with each turn of the loop, it is not over.
 *
 * @param received - Grows with what was read.
 * @returns Ends the wait.
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
