import type { Observable } from 'rxjs';
import type { Aggregator } from '../aggregators/aggregator.ts';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import { type State, stateCodec } from '../operators/aggregation.ts';
import { keySerdeOf } from '../operators/keyed.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeChange, type StreamRecord } from '../record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { shuffled } from '../streams/shuffled.ts';
import type { Topic } from '../streams/topic.ts';
import { removedBy, withoutRemoved } from './halves.ts';
import type { Halves } from './halves-of.ts';
import { Table } from './table.ts';

/** Builds the table of group aggregates from the rows that groups gain and lose. */
export function groupsOf<G, V, R>(
  halves: Observable<Halves<G, V>>,
  topic: Topic<G, V>,
  aggregator: Aggregator<V, State, R, null>,
  name: string,
): Table<G, R> {
  const kept = new KeptRows<G, R>();
  const codec = stateCodec(aggregator, name);
  const present = (state: State): R => aggregator.result(state);
  const changes = node<StreamRecord<G | null, V | null>, Change<G, R>>([shuffled(topic.use, halves)], {
    name: 'regroup',
    keepsTime: true,
    detail: name,
    needsKey: true,
    stores: [
      declareStore({
        name,
        kind: 'keyValue',
        key: 'upstream',
        value: codec,
        fingerprint: `regroup ${aggregator.name}`,
        present,
      }),
    ],
    create(step) {
      const { task } = step;
      const store = new KeyValueStore<G, State>(
        task.openStore(name),
        keySerdeOf<G>(step.place),
        codec,
        task.cacheEntries,
        present,
      );
      task.addState(store);
      const rowOf = (state: State | undefined): R | null =>
        state === undefined ? null : settled(aggregator.result(state));
      kept.keep(task, {
        get: (group) => rowOf(store.get(group)) ?? undefined,
        timestampOf: (group) => store.timestampOf(group),
      });
      return (record) => {
        const { headers, key, timestamp, value } = record;
        const entry = store.entry(key as NonNullable<G>);
        const before = rowOf(entry.value);
        let state = entry.value;
        const removed = removedBy(headers, topic.value);
        if (removed !== null && state !== undefined) {
          state = settled(aggregator.remove?.(state, removed, record as StreamRecord<unknown, V>)) ?? undefined;
        }
        if (value !== null) {
          const added = aggregator.add(state ?? aggregator.init(), value, record as StreamRecord<unknown, V>);
          state = settled(added) ?? undefined;
        }
        const latest = Math.max(entry.timestamp, timestamp);
        // Computed before anything is stored: if it throws, the record has no effect.
        const row = rowOf(state);
        if (state !== undefined) store.put(entry, state, latest);
        else if (entry.value !== undefined) store.delete(entry);
        if (row === null && before === null) return;
        const bare = withoutRemoved(headers);
        const from = bare === headers ? record : { ...record, headers: bare };
        step.emitUpdate(makeChange<G, R>(key as G, row, before, latest, from));
      };
    },
  });
  return new Table<G, R>({ name, changes, keySerde: topic.key, updates: changes, rowsIn: (task) => kept.in(task) });
}
