import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { soon } from '../../dataflow/soon.ts';

/** Exit codes that say that a signal has ended the process. */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [130, 'SIGINT'],
  [143, 'SIGTERM'],
]);

const underWay = new Set<object>();
let watching = false;
/** An error that nobody has caught, in a list so that any value can be one: Node prints it after the `exit` listeners. */
let uncaught: readonly [error: unknown] | undefined;

/**
 * Notes that a transaction is under way until the returned function is called.
 *
 * The thread in which LMDB writes waits for a call of this thread in the middle of a transaction, and `process.exit` waits for
 * that thread: the process would never end, and nobody else could use the folder. So it is killed if it exits then, after its
 * own `exit` listeners. That loses nothing: a transaction is there as a whole or not at all.
 */
export function transactionBegins(): () => void {
  // In a worker, `process.exit` ends no more than the worker.
  if (!watching && isMainThread) {
    process.on('exit', killIfStuck);
    process.on('uncaughtExceptionMonitor', (error: unknown) => {
      uncaught = [error];
      // The process goes on: somebody has caught it after all.
      soon(() => (uncaught = undefined));
    });
  }
  watching = true;
  const transaction = {};
  underWay.add(transaction);
  return () => void underWay.delete(transaction);
}

function killIfStuck(code: number): void {
  if (underWay.size === 0) return;
  const listeners = process.listeners('exit');
  for (const listener of listeners.slice(listeners.indexOf(killIfStuck) + 1)) listener.call(process, code);
  if (uncaught !== undefined) writeSync(2, `${inspect(uncaught[0])}\n`);
  const signal = SIGNALS.get(code) ?? 'SIGKILL';
  if (signal === 'SIGKILL') {
    writeSync(
      2,
      `millrace: the process exits (${code}) in the middle of a transaction, so it is killed: await close() or stop() first\n`,
    );
  }
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
