/** The messages between `millrace dev` and the process that it starts. */
export type FromParent = 'stop';
export type FromChild = { readonly loaded: string } | { readonly running: true };

/** The message at the first Ctrl-C, printed by the process that received it. */
export const STOPPING = 'stopping: finishing what was read; Ctrl-C again ends it at once';

/** Environment variable of a process that `millrace dev` has started. */
export const DEV = 'MILLRACE_DEV';

/**
 * The `millrace dev` process that started this one, if any. The channel to it does not keep the process alive.
 *
 * @param stop - Called when it asks this process to stop, and when it is gone.
 */
export function parentOf(
  child: Pick<NodeJS.Process, 'channel' | 'env' | 'on' | 'send'>,
  stop: () => void,
): { loaded(path: string): void; running(): void } | undefined {
  if (child.env[DEV] === undefined || child.send === undefined) return undefined;
  child.on('message', (message: FromParent) => {
    if (message === 'stop') stop();
  });
  child.on('disconnect', stop);
  child.channel?.unref();
  const tell = (message: FromChild): void => void child.send?.(message);
  return { loaded: (path) => tell({ loaded: path }), running: () => tell({ running: true }) };
}
