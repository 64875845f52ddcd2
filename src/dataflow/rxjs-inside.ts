import type { GroupSinks } from './rxjs-groups.ts';

/**
 * Private state in which RxJS 7 tracks the work of an operator: every inner subscription and every scheduled action is
 * added to the subscriber below the operator, and removed when it has ended. The names are private but the same in all
 * versions of 7.8; a test of this file verifies them.
 */
export interface Inside {
  readonly closed: boolean;
  readonly _finalizers: readonly Finalizer[] | null;
}

export type Finalizer = Inside | (() => void);

/** The next subscriber that a subscriber passes values to; `undefined` at the end of the chain. */
export function destinationOf(node: Inside): Inside | undefined {
  const { destination } = node as { readonly destination?: Partial<Inside> };
  return destination !== undefined && destination !== null && '_finalizers' in destination
    ? (destination as Inside)
    : undefined;
}

/** Whether this is a scheduler action: a timer, or a microtask that has not run yet. */
export function isAction(node: Inside): boolean {
  return 'scheduler' in node && 'work' in node;
}

/** Whether this is a subscriber rather than a plain subscription. */
export function isSubscriber(node: Inside): boolean {
  return 'destination' in node && 'isStopped' in node;
}

/** Whether an RxJS operator made this subscriber: those have their functions on the instance. */
export function isOperatorSubscriber(node: Inside): boolean {
  return Object.hasOwn(node, '_next');
}

const NOTHING: readonly Finalizer[] = [];

export function finalizersOf(node: Inside): readonly Finalizer[] {
  return node._finalizers ?? NOTHING;
}

/** Whether a scheduler action is pending in this finalizer. */
export function waitsForTimer(finalizer: Finalizer): boolean {
  if (typeof finalizer === 'function' || finalizer.closed) return false;
  return isAction(finalizer) || finalizersOf(finalizer).some(waitsForTimer);
}

/** Whether something is subscribed or scheduled in it. */
function isFed(node: Inside): boolean {
  return finalizersOf(node).some(
    (each) => typeof each !== 'function' && !each.closed && (isAction(each) || isSubscriber(each) || isFed(each)),
  );
}

/**
 * Whether an inner subscription waits for something other than a record: a timer, a promise, a request. It does unless
 * all that it is subscribed to ends at groups: nothing else shows that a Subject, or an Observable of the program, emits in
 * the turn of its records.
 */
export function waits(finalizer: Finalizer, groups: GroupSinks): boolean {
  if (typeof finalizer === 'function' || finalizer.closed) return false;
  if (isAction(finalizer)) return true;
  if (isSubscriber(finalizer) && !groups.has(finalizer) && !isFed(finalizer)) return true;
  return finalizersOf(finalizer).some((each) => waits(each, groups));
}
