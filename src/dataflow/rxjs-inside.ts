/**
 * What RxJS 7 knows of an operator's work and does not tell: every inner subscription and every scheduled action is added
 * to the subscriber below the operator, and taken away when it has ended. The names are private there, and the same in
 * all of 7.8; a test of this file holds them.
 */
export interface Inside {
  readonly closed: boolean;
  readonly _finalizers: readonly Finalizer[] | null;
}

export type Finalizer = Inside | (() => void);

/** Something that a subscriber adds values to: another subscriber, or an observer at the end. */
export function destinationOf(node: Inside): Inside | undefined {
  const { destination } = node as { readonly destination?: Partial<Inside> };
  return destination !== undefined && destination !== null && '_finalizers' in destination
    ? (destination as Inside)
    : undefined;
}

/** Whether this is an action of a scheduler: a timer, or a microtask that has not run yet. */
export function isAction(node: Inside): boolean {
  return 'scheduler' in node && 'work' in node;
}

/** Whether this is a subscriber, and no plain subscription. */
export function isSubscriber(node: Inside): boolean {
  return 'destination' in node && 'isStopped' in node;
}

/** Whether one of RxJS's operators made this subscriber: those put their functions on the instance. */
export function isOperatorSubscriber(node: Inside): boolean {
  return Object.hasOwn(node, '_next');
}

const NOTHING: readonly Finalizer[] = [];

export function finalizersOf(node: Inside): readonly Finalizer[] {
  return node._finalizers ?? NOTHING;
}

/** Whether a scheduler's action waits in what this subscription owns. */
export function waitsForTimer(finalizer: Finalizer): boolean {
  if (typeof finalizer === 'function' || finalizer.closed) return false;
  return isAction(finalizer) || finalizersOf(finalizer).some(waitsForTimer);
}

/**
 * Whether an inner subscription waits for something that is not a record: a timer, a promise, a request.
 *
 * @param groups - Streams of streams are in use (`groupBy`, `windowCount`): a subscription to a Subject may be one to a
 * group, which emits in the turn of its records.
 */
export function waits(finalizer: Finalizer, groups: boolean): boolean {
  if (typeof finalizer === 'function' || finalizer.closed) return false;
  if (isAction(finalizer)) return true;
  // A plain subscription is one to a Subject, or something to tidy up.
  if (!isSubscriber(finalizer)) return finalizersOf(finalizer).some((inner) => waits(inner, groups));
  if (!groups) return true;
  const inner = finalizersOf(finalizer);
  const sources = inner.filter((each) => typeof each !== 'function');
  return sources.length === 0 || sources.some((each) => waits(each, groups));
}
