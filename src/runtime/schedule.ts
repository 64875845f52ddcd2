/** Runs `work` after the events that wait now have been handled. */
export const soon: (work: () => void) => void =
  typeof setImmediate === 'function'
    ? (work) => void setImmediate(work)
    : (work) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          work();
        };
        port2.postMessage(null);
      };
