import type { Observable, ObservedValueOf } from 'rxjs';
import { ConfigError } from '../errors.ts';
import { type Processed, processNode } from './process-node.ts';
import { planProcess } from './process-plan.ts';
import type {
  Keyed,
  KeyOf,
  OutputDeclarations,
  ProcessInput,
  RecordStep,
  StepDefinition,
  StoreDeclarations,
  TimerDeclarations,
} from './process-types.ts';

/** The streams that a {@link processAll} step takes. @public */
export type ProcessInputs = readonly Observable<ProcessInput>[];

/** The keys of several streams. @public */
export type KeyOfAll<I extends ProcessInputs> = KeyOf<ObservedValueOf<I[number]>>;

/** The definition of a {@link processAll} step. @public */
export interface ProcessAllDefinition<
  I extends ProcessInputs,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends StepDefinition<KeyOfAll<I>, S, T, P, Out> {
  /** Functions that handle a record of each stream, in the order of the streams. */
  readonly next: {
    readonly [At in keyof I]: (
      record: I[At] extends Observable<infer R extends ProcessInput> ? Keyed<R> : never,
      step: RecordStep<KeyOfAll<I>, S, T, P, Out>,
    ) => undefined | void;
  };
}

/**
 * A custom operator over several streams, with one state and one stream time: like {@link process}, with a function in
 * `next` for each stream.
 *
 * ```text
 * processAll([orders, payments], { next: [onOrder, onPayment], … })
 *
 * orders    --a:1---------------|
 * payments  ---------a:1--------|
 * result    ---------a:'paid'---|
 * ```
 *
 * Records arrive in timestamp order, as everywhere in a task. If the streams come from one source, the records derived
 * from one record of that source arrive in the order of the streams. All streams must have the same key serde.
 *
 * @param inputs - The streams, in the order of the functions in `next`. A stream may be listed more than once.
 * @param definition - As for `process`.
 * @returns The main output, with each of the `outputs` as a further stream.
 * @throws as {@link process}, and `ERR_PIPELINE` without streams; when planned also `ERR_KEY_SERDES`.
 *
 * @example
 * ```ts
 * import { json, keyValue, output, processAll, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
 * const payments = topic('payments', { key: string(), value: json<number>() });
 * const open = topic('open', { key: string(), value: json<number>() });
 * const stray = topic('stray-payments', { key: string(), value: json<number>() });
 * const balance = processAll([orders, payments], {
 *   name: 'balance',
 *   stores: { due: keyValue('due', { value: json<number>() }) },
 *   emits: output<number>(),
 *   outputs: { stray: output<number>() },
 *   next: [
 *     ({ value }, { key, stores }) => stores.due.set(key, value.total),
 *     ({ value }, { emit, key, outputs, stores }) => {
 *       const due = stores.due.get(key);
 *       if (due === undefined) return outputs.stray(value);
 *       stores.due.set(key, due - value);
 *       emit(due - value);
 *     },
 *   ],
 * });
 * const driver = new TestDriver([balance.pipe(to(open)), balance.outputs.stray.pipe(to(stray))]);
 * driver.pipe(orders, { key: 'order-1', value: { total: 10 } });
 * driver.pipe(payments, { key: 'order-1', value: 4 });
 * driver.pipe(payments, { key: 'order-2', value: 5 });
 * console.log(driver.read(open)[0]?.value, driver.read(stray)[0]?.key);
 * // => 6 order-2
 * ```
 * @public
 */
export function processAll<
  const I extends ProcessInputs,
  S extends StoreDeclarations = {},
  T extends TimerDeclarations = {},
  P extends OutputDeclarations = {},
  Out = ObservedValueOf<I[number]>['value'],
>(inputs: I, definition: ProcessAllDefinition<I, S, T, P, Out>): Processed<KeyOfAll<I>, P, Out> {
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new ConfigError('ERR_PIPELINE', 'processAll was given no streams', {
      hint: 'list its streams in order: processAll([orders, payments], { next: [onOrder, onPayment], … })',
    });
  }
  const plan = planProcess('processAll', definition, inputs.length);
  return processNode<KeyOfAll<I>, P, Out>('processAll', inputs, plan);
}
