/** Runs `work` after the pending events have been handled. */
export const soon: (work: () => void) => void =
  typeof setImmediate === 'function'
    ? (work) => void setImmediate(work)
    : (work) => {
        const { port1, port2 } = new MessageChannel();
        const heard = (): void => {
          port1.close();
          work();
        };
        port1.addEventListener('message', heard, { once: true });
        port1.start();
        port2.postMessage(null);
      };
