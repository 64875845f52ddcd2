/**
 * Calls back when some time is over, but not before the event loop has read what came in until then: after it was
 * blocked, timers run before sockets are read. As long as more comes in with each turn of the loop, it is not over.
 *
 * @param received - Grows with what was read.
 * @returns Ends the wait.
 */
export function whenDue(ms: number, received: () => number, over: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const look = (): void => {
    const before = received();
    immediate = setImmediate(() => {
      if (received() === before) over();
      else look();
    });
  };
  const timer = setTimeout(look, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
