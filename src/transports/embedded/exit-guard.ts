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

/** What really ends a process: Node calls it after the `exit` listeners, and at once for `process.exit` in one of them. */
type ReallyExit = (code?: number) => never;

/**
 * Notes that a transaction is under way until the returned function is called.
 *
 * The thread in which LMDB writes waits for a call of this thread in the middle of a transaction, and `process.exit` waits for
 * that thread: the process would never end, and nobody else could use the folder. So it is killed if it exits then, after its
 * own `exit` listeners. That loses nothing: a transaction is there as a whole or not at all.
 */
export function transactionBegins(): () => void {
  // In a worker, `process.exit` ends no more than the worker.
  if (!watching && isMainThread) watch();
  watching = true;
  const transaction = {};
  underWay.add(transaction);
  return () => void underWay.delete(transaction);
}

function watch(): void {
  // The first one, as no other is called after one that throws.
  process.prependListener('exit', killIfStuck);
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    uncaught = [error];
    // The process goes on: somebody has caught it after all.
    soon(() => (uncaught = undefined));
  });
  const node = process as NodeJS.Process & { reallyExit: ReallyExit };
  const reallyExit = node.reallyExit;
  node.reallyExit = (code) => {
    if (underWay.size > 0) kill(code ?? 0);
    return reallyExit.call(process, code);
  };
}

function killIfStuck(code: number): void {
  if (underWay.size === 0) return;
  for (const listener of process.listeners('exit')) {
    if (listener === killIfStuck) continue;
    try {
      listener.call(process, code);
    } catch (error) {
      print(inspect(error));
    }
  }
  kill(code);
}

function kill(code: number): void {
  if (uncaught !== undefined) print(inspect(uncaught[0]));
  const signal = SIGNALS.get(code) ?? 'SIGKILL';
  if (signal === 'SIGKILL') {
    print(
      `millrace: the process exits (${code}) in the middle of a transaction, so it is killed: await close() or stop() first`,
    );
  }
  // The first process of a container is not killed by signals that it sends to itself.
  if (process.pid === 1) process.abort();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Nobody may read it any more. */
function print(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Then nobody does.
  }
}
