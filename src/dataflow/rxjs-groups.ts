import { isObservable, type Observable, Subject } from 'rxjs';
import { destinationOf, type Inside, isOperatorSubscriber } from './rxjs-inside.ts';

/** Private members of an Observable that RxJS calls with the subscriber itself. */
interface Source {
  readonly source?: unknown;
  readonly operator?: unknown;
  _subscribe(subscriber: Inside): unknown;
}

/** A subscriber of an RxJS operator: its function is its own. */
interface OperatorSubscriber {
  _next(value: unknown): void;
}

/** A subscriber that was made of an observer. */
interface SafeSubscriber {
  readonly destination?: { readonly partialObserver?: unknown };
}

/**
 * Knows the subscribers of streams that an operator emits as values and feeds in the turn of its records: the groups of
 * `groupBy` and the windows of `windowCount`. They wait for records, as everything in a task does.
 *
 * All other Subjects may wait for a promise or a timer: those of `share` and `shareReplay` do in a cache of requests.
 */
export class GroupSinks {
  readonly #sinks = new WeakSet<object>();
  readonly #watched = new WeakSet<object>();
  readonly #looked = new WeakSet<object>();

  /**
   * Looks at the values that an operator gets. The first one shows whether they are streams; where they are not, the operator is
   * left as it was.
   */
  look(subscriber: Inside): void {
    if (!isOperatorSubscriber(subscriber) || this.#looked.has(subscriber)) return;
    this.#looked.add(subscriber);
    // The field that RxJS has set itself. A method of its own, even one that is deleted again, would slow down all later
    // calls of it: they would have two kinds of subscribers to tell apart.
    const operator = subscriber as unknown as OperatorSubscriber;
    const { _next } = operator;
    operator._next = (value) => {
      if (!isObservable(value)) operator._next = _next;
      else if (isGroup(value)) this.#watch(value as unknown as Source);
      _next.call(operator, value);
    };
  }

  #watch(stream: Source): void {
    if (this.#watched.has(stream)) return;
    this.#watched.add(stream);
    const subscribe = stream._subscribe;
    stream._subscribe = (subscriber) => {
      this.#add(subscriber);
      return subscribe.call(stream, subscriber);
    };
  }

  #add(subscriber: Inside): void {
    this.#sinks.add(subscriber);
    // Operators inside of a group may make groups of it again.
    for (let each: Inside | undefined = subscriber; each !== undefined; each = destinationOf(each)) this.look(each);
    // A Subject that passes a group on to several, as that of `connect`.
    const subject = (subscriber as Partial<SafeSubscriber>).destination?.partialObserver;
    if (!(subject instanceof Subject)) return;
    for (const observer of subject.observers) this.#sinks.add(observer);
    this.#watch(subject as unknown as Source);
  }

  has(subscriber: Inside): boolean {
    return this.#sinks.has(subscriber);
  }
}

/**
 * `groupBy` gives its streams a key; the operators that make windows emit a plain Subject, most of them as an Observable. So does a
 * program that answers by a Subject of its own: nothing tells the two apart.
 */
function isGroup(value: Observable<unknown>): boolean {
  if (value.constructor === Subject) return true;
  const { operator, source } = value as unknown as Source;
  if (operator !== undefined && operator !== null) return false;
  if (source === undefined || source === null) return Object.hasOwn(value, 'key');
  return source instanceof Subject && source.constructor === Subject;
}
