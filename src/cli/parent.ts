/** The messages between `millrace dev` and the process that it starts. */
export type FromParent = 'stop';
export interface FromChild {
  readonly loaded: string;
}

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
): { loaded(path: string): void } | undefined {
  if (child.env[DEV] === undefined || child.send === undefined) return undefined;
  child.on('message', (message: FromParent) => {
    if (message === 'stop') stop();
  });
  child.on('disconnect', stop);
  child.channel?.unref();
  return { loaded: (path) => void child.send?.({ loaded: path } satisfies FromChild) };
}
