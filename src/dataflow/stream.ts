import { isObservable, Observable, type Operator, type Subscriber } from 'rxjs';
import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import { CallPlace } from './call-place.ts';
import type { LongPipe } from './long-pipe.ts';
import type { NodeSpec } from './node.ts';
import { stepName } from './node.ts';
import { type Inside, waitsForTimer } from './rxjs-inside.ts';
import { currentScope } from './scope.ts';

let made = 0;

/**
 * A step of a pipeline, as an Observable. What subscribing to it does depends on the current scope (see {@link Scope}).
 *
 * A plain RxJS operator applied to a stream also returns a stream, because RxJS 7 builds operators through `lift`. That
 * makes it a node too, so a branch point below a plain `map` still runs the `map` only once.
 *
 * @public
 */
export class Stream<T> extends Observable<T> {
  /** @internal */
  readonly spec: NodeSpec<T>;
  /** Like `pipe` in RxJS, but typed for up to sixteen steps. */
  declare readonly pipe: LongPipe<T> & Observable<T>['pipe'];
  /** @internal Its position in the order in which the program created its steps. */
  readonly order: number = made++;

  /** @internal */
  constructor(spec: NodeSpec<T>) {
    super((subscriber) => currentScope(stepName(spec)).connect(this, subscriber));
    this.spec = spec;
  }

  /** @internal */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return plain(super.lift(operator));
  }
}

/** Wraps a plain Observable as a step. */
function plain<T>(source: Observable<T>): Stream<T> {
  return new Stream<T>({
    kind: 'rxjs',
    name: 'rxjs operator',
    traits: {},
    place: new CallPlace(),
    discover: () => subscribeSilently(source),
    attach: (subscriber) => void source.subscribe(subscriber),
  });
}

const ADOPTED = new WeakMap<Observable<unknown>, Stream<unknown>>();

/**
 * The input of a step, as a step itself. RxJS functions such as `merge` create Observables that are not steps; each is
 * wrapped here, in the same step every time, so that everything above a branch point runs only once.
 *
 * @param by - The step whose input it is.
 * @throws ConfigError `ERR_OPTION` for anything but a stream, such as a table.
 */
export function adopted<T>(source: Observable<T>, by: string = 'the step'): Stream<T> {
  if (source instanceof Stream) return source;
  if (!isObservable(source)) throw notStream(source, by);
  let stream = ADOPTED.get(source);
  if (stream === undefined) {
    stream = plain<unknown>(source);
    ADOPTED.set(source, stream);
  }
  return stream as Stream<T>;
}

/** Thrown where the step is applied: planning would only know that something cannot be subscribed. */
function notStream(source: unknown, by: string): ConfigError {
  const isTable = typeof source === 'object' && source !== null && 'rowsIn' in source;
  return new ConfigError('ERR_OPTION', `${by}(…) was given ${show(source)} instead of a stream`, {
    hint: isTable
      ? `take its changes as a stream: table.pipe(toStream(), ${by}(…)); for rows there are mapRows, filterRows, joinRows and regroup`
      : 'give it a stream, such as a topic; an operator for tables makes a table, and toStream() turns that into a stream',
  });
}

/**
 * Subscribes so that everything upstream is discovered, then unsubscribes: an operator that shares a subscription, such
 * as `share()`, must not keep that of planning. Nothing is emitted while planning.
 *
 * @throws the error of the subscription, if the pipeline fails immediately; {@link TimerAtStart}.
 */
export function subscribeSilently(source: Observable<unknown>): void {
  let failure: { readonly error: unknown } | undefined;
  const subscription = source.subscribe({ error: (error: unknown) => void (failure ??= { error }) });
  const timer = waitsForTimer(subscription as unknown as Inside);
  subscription.unsubscribe();
  if (failure !== undefined) throw failure.error;
  if (timer) throw new TimerAtStart();
}

/**
 * A plain operator starts a timer as soon as it is subscribed: `bufferTime`, `subscribeOn`. Planning finds out which
 * one.
 */
export class TimerAtStart extends Error {}

/** Narrow view of a subscriber for code that only emits. */
export type Emit<T> = Pick<Subscriber<T>, 'next'>;
