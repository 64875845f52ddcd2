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
 * A step of a pipeline, as an Observable. Subscribing to it means nothing by itself: the scope that is current while
 * the subscription happens decides (see {@link Scope}).
 *
 * Plain RxJS operators applied to a stream give a stream again, because RxJS 7 builds them through `lift`. That makes
 * them nodes too, so that a branch point below a plain `map` still runs the `map` once.
 *
 * @public
 */
export class Stream<T> extends Observable<T> {
  /** @internal */
  readonly spec: NodeSpec<T>;
  /** As that of RxJS, and typed for up to sixteen steps. */
  declare readonly pipe: LongPipe<T> & Observable<T>['pipe'];
  /** @internal Its place among all steps of the program, in the order in which they were made. */
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

/** A plain Observable as a step. */
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
 * What feeds a step, as a step itself. Functions of RxJS such as `merge` make Observables that are none; they become one
 * here, the same one each time, so that what stands above a branch point runs once.
 *
 * @param by - The step that is fed.
 * @throws ConfigError `ERR_OPTION` for what is no stream, such as a table.
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

/** Said where the step is applied: planning would only know that something cannot be subscribed. */
function notStream(source: unknown, by: string): ConfigError {
  const isTable = typeof source === 'object' && source !== null && 'rowsIn' in source;
  return new ConfigError('ERR_OPTION', `${by}(…) was given ${show(source)} instead of a stream`, {
    hint: isTable
      ? `take its changes as a stream: table.pipe(toStream(), ${by}(…)); for rows there are mapRows, filterRows, joinRows and regroup`
      : 'give it a stream, such as a topic; a step of tables makes a table, and toStream() a stream of that',
  });
}

/**
 * Subscribes so that everything upstream is discovered, and takes the subscription back: an operator that shares one, such
 * as `share()`, must not keep that of planning. Nothing is emitted while planning.
 *
 * @throws What the subscription reports: a pipeline that fails at once; {@link TimerAtStart}.
 */
export function subscribeSilently(source: Observable<unknown>): void {
  let failure: { readonly error: unknown } | undefined;
  const subscription = source.subscribe({ error: (error: unknown) => void (failure ??= { error }) });
  const timer = waitsForTimer(subscription as unknown as Inside);
  subscription.unsubscribe();
  if (failure !== undefined) throw failure.error;
  if (timer) throw new TimerAtStart();
}

/** A plain operator starts a timer as soon as it is subscribed: `bufferTime`, `subscribeOn`. Planning says which. */
export class TimerAtStart extends Error {}

/** Narrow view of a subscriber for code that only emits. */
export type Emit<T> = Pick<Subscriber<T>, 'next'>;
