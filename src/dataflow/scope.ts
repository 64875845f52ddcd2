import type { Subscriber } from 'rxjs';
import { MillraceError } from '../errors.ts';
import type { Stream } from './stream.ts';

/**
 * Determines what subscribing to a stream means: planning records nodes and edges, a task connects instances.
 * Subscribing is synchronous from the end of the pipeline up to its sources, so one module variable is enough.
 */
export interface Scope {
  connect<T>(stream: Stream<T>, subscriber: Subscriber<T>): void;
}

let current: Scope | undefined;

/** Runs `work` in `scope`. Scopes nest. */
export function withScope<T>(scope: Scope, work: () => T): T {
  const outer = current;
  current = scope;
  try {
    return work();
  } finally {
    current = outer;
  }
}

/** A stream was subscribed outside `run`, a test driver, or a plan. @public */
export class NoTaskError extends MillraceError {
  override readonly name = 'NoTaskError';
  constructor(step: string) {
    super('config', 'ERR_NO_TASK', `${step} was subscribed outside of a task`, {
      hint:
        'a pipeline is a description: pass it to run(…) or to a test driver; to read a topic in a program, use ' +
        'client.records(topic); retry, repeat and late inner subscriptions are not possible inside a pipeline; if it is in run(…), two copies of millrace are loaded',
    });
  }
}

export function currentScope(step: string): Scope {
  if (current === undefined) throw new NoTaskError(step);
  return current;
}
