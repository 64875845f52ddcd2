import type { StoreUse } from '../dataflow/node.ts';
import type { Step } from '../dataflow/step.ts';
import { checkStoreName, keySerdeOf } from '../operators/keyed.ts';
import type { Serde } from '../serdes/serde.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';

/** A store of rows: declared and opened by the step that owns it. */
export class RowStore<K, V> {
  readonly name: string;
  readonly use: StoreUse;
  readonly codec: ValueCodec<NonNullable<V>>;

  /** @param value - How rows are stored (default: MessagePack). */
  constructor(step: string, store: string, value: Serde<NonNullable<V>> | undefined) {
    this.name = checkStoreName(store, step);
    this.codec = value === undefined ? msgpackCodec(this.name) : serdeCodec(value, this.name);
    this.use = declareStore({
      name: this.name,
      kind: 'keyValue',
      key: 'upstream',
      value: this.codec,
      fingerprint: `${step} as ${value?.name ?? 'msgpack'}`,
    });
  }

  open({ place, task }: Step<unknown>): KeyValueStore<K, NonNullable<V>> {
    const rows = new KeyValueStore<K, NonNullable<V>>(
      task.openStore(this.name),
      keySerdeOf<K>(place),
      this.codec,
      task.cacheEntries,
    );
    task.addState(rows);
    return rows;
  }
}
