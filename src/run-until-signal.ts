import type { App } from './runtime/app/app-handle.ts';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Sets the exit code of the process, even if nobody handles the error: Node then overwrites the exit code with 1 before
 * the last 'exit' listeners run.
 */
function exitWith(code: number, error: unknown): void {
  process.exitCode = code;
  process.on('uncaughtExceptionMonitor', (uncaught) => {
    if (uncaught !== error) return;
    process.once('exit', () => {
      process.exitCode = code;
    });
  });
}

/**
 * Awaits an application and stops it on SIGINT (Ctrl-C) and SIGTERM: the first signal stops it gracefully, within its
 * stop deadline; a second one ends the process at once.
 *
 * The process's exit code becomes 130 or 143 if a signal arrived and the application could not stop cleanly; after a
 * clean stop it stays 0. Signal handlers are installed while this function runs and removed afterwards; nothing else in
 * Millrace touches the process.
 *
 * @returns Resolves when the application has stopped; rejects with the error that ended it.
 * @public
 */
export async function runUntilSignal(app: App): Promise<void> {
  let signalled: keyof typeof EXIT_CODES | undefined;
  const handle = (signal: keyof typeof EXIT_CODES): void => {
    if (signalled !== undefined) process.exit(EXIT_CODES[signal]);
    signalled = signal;
    // A failure to stop reaches the caller through `done` below.
    app.stop().catch(() => undefined);
  };
  const signals = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const signal of signals) process.on(signal, handle);
  try {
    await app.done;
  } catch (error) {
    if (signalled !== undefined) exitWith(EXIT_CODES[signalled], error);
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, handle);
  }
}
