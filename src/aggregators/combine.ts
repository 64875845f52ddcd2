import { ConfigError } from '../errors.ts';
import { checkSync, settled } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import type { Aggregated, Aggregator, AnyAggregator, Spec } from './aggregator.ts';

/** The states of the parts, in the order of their names. A part without a state has null or undefined. */
type CombinedState = readonly unknown[];

type Part<V> = Aggregator<V, unknown, unknown, null>;

function refuse(problem: string): ConfigError {
  return new ConfigError('ERR_AGGREGATION', problem, {
    hint: 'give an object of aggregators, such as { clicks: agg.count() }',
  });
}

/** The error for a function where an aggregator is expected: most likely it only has to be called. */
function refuseUncalled(what: string, name: string): ConfigError {
  const call = name === '' ? 'it' : `it: agg.${name}(…)`;
  return new ConfigError('ERR_AGGREGATION', `${what} is a function, not an aggregator`, { hint: `call ${call}` });
}

function check(names: readonly string[], parts: readonly unknown[]): void {
  if (names.length === 0) throw refuse('An aggregation has no fields');
  if (names.includes('__proto__')) throw refuse('An aggregation has a field __proto__');
  parts.forEach((part, i) => {
    const isAggregator =
      typeof part === 'object' && part !== null && 'init' in part && 'add' in part && 'result' in part;
    if (typeof part === 'function') throw refuseUncalled(`The field ${names[i]} of an aggregation`, part.name);
    if (!isAggregator) throw refuse(`The field ${names[i]} of an aggregation is not an aggregator`);
    for (const work of [part.init, part.add, part.result]) checkSync(`the field ${names[i]} of an aggregation`, work);
  });
}

/** The state of a part with its own serde is stored in the array as the bytes of that serde. */
function stateSerde<V>(parts: readonly Part<V>[]): Serde<unknown> {
  const array = msgpack<CombinedState>();
  const close = (state: unknown, i: number): unknown => {
    if (state === null || state === undefined) return null;
    return parts[i]?.state?.serialize(state) ?? state;
  };
  const open = (state: unknown, i: number): unknown => {
    if (state === null) return null;
    const serde = parts[i]?.state;
    return serde !== undefined && state instanceof Uint8Array ? serde.deserialize(state) : state;
  };
  return {
    name: `aggregates(${parts.map((part) => part.state?.name ?? 'msgpack').join(', ')})`,
    serialize: (states) => array.serialize((states as CombinedState).map(close)),
    deserialize: (bytes) => array.deserialize(bytes).map(open),
  };
}

// The optional members are only declared: a member that is present but undefined would not count as absent.
class Combined<V> implements Aggregator<V, unknown, unknown, null> {
  readonly name: string;
  declare readonly state?: Serde<unknown>;
  declare readonly remove?: (state: CombinedState, value: V, record: StreamRecord<unknown, V>) => CombinedState | null;
  declare readonly merge?: (left: CombinedState, right: CombinedState) => CombinedState;
  readonly #names: readonly string[];
  readonly #parts: readonly Part<V>[];

  constructor(spec: Spec<V>) {
    if (typeof spec === 'function') throw refuseUncalled('The aggregation', (spec as { readonly name: string }).name);
    this.#names = Object.keys(spec);
    const parts = Object.values(spec);
    check(this.#names, parts);
    // A Spec says little about its parts, to help the compiler; they are aggregators nonetheless.
    this.#parts = parts as readonly AnyAggregator<V>[] as readonly Part<V>[];
    this.name = this.#parts.map((part, i) => `${this.#names[i]}: ${part.name}`).join(', ');
    if (this.#parts.some((part) => part.state !== undefined)) this.state = stateSerde(this.#parts);
    if (this.#parts.every((part) => part.remove !== undefined)) {
      this.remove = (state, value, record) => this.#remove(state, value, record);
    }
    if (this.#parts.every((part) => part.merge !== undefined)) this.merge = (left, right) => this.#merge(left, right);
  }

  init(): CombinedState {
    return this.#parts.map((part) => part.init());
  }

  add(state: CombinedState, value: V, record: StreamRecord<unknown, V>): CombinedState | null {
    const parts = this.#parts;
    // An array that grows by pushing reserves room for 17 entries, and there is one array per key.
    const next = state.slice();
    let deleted = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part<V>;
      const added = settled(part.add(state[i] ?? part.init(), value, record));
      if (added === null) deleted++;
      next[i] = added;
    }
    return deleted === parts.length ? null : next;
  }

  result(state: CombinedState): Readonly<Record<string, unknown>> {
    const result: Record<string, unknown> = {};
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i] as Part<V>;
      result[this.#names[i] as string] = settled(part.result(state[i] ?? part.init()));
    }
    return result;
  }

  #remove(state: CombinedState, value: V, record: StreamRecord<unknown, V>): CombinedState | null {
    const next = this.#parts.map((part, i) => {
      const before = state[i] ?? undefined;
      return before === undefined ? null : settled(part.remove?.(before, value, record));
    });
    return next.every((part) => part === null) ? null : next;
  }

  #merge(left: CombinedState, right: CombinedState): CombinedState {
    return this.#parts.map((part, i) => {
      const first = left[i] ?? undefined;
      const second = right[i] ?? undefined;
      if (first === undefined || second === undefined) return first ?? second;
      return part.merge?.(first, second);
    });
  }
}

/**
 * Combines named aggregators into one, whose state is the array of their states (opaque to others) and whose result is
 * a new object with the same names. Fields are evaluated in the order in which they were written. A part that deletes
 * its state starts from `init` with the next record, and until then shows the result of its initial state. If all parts
 * delete theirs for the same record, the entry is deleted. `merge` and `remove` exist if all parts have them.
 *
 * @param spec - The aggregators by name.
 * @throws ConfigError `ERR_AGGREGATION` if there are no fields, or one is not an aggregator.
 */
export function combine<V, S extends Spec<V>>(spec: S): Aggregator<V, unknown, Aggregated<S>, null> {
  return new Combined<V>(spec) as Aggregator<V, unknown, unknown, null> as Aggregator<V, unknown, Aggregated<S>, null>;
}
