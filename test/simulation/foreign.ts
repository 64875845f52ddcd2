import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { stampProducer } from '../../src/transports/kafka/stamp-producer.ts';
import type { Input } from './inputs.ts';
import type { ModelBroker } from './model/broker.ts';

/** Longer than any run. */
const NEVER_MS = 900_000;

/** How a transaction of somebody else ends. */
export type Ending = 'commit' | 'abort' | 'never';

/** Other applications, which write to the source in transactions, each under a name of its own at a time. */
export class ForeignWriters {
  readonly #broker: ModelBroker;
  #names = 0;
  readonly #used: string[] = [];

  constructor(broker: ModelBroker) {
    this.#broker = broker;
  }

  /** Writes a record in a transaction that ends after some time. @returns its offset */
  write({ id, key, partition, timestamp }: Omit<Input, 'at'>, ending: Ending, afterMs: number): number {
    const { clock, topics, transactions } = this.#broker;
    const name = this.#free() ?? `somebody-${++this.#names}`;
    const log = topics.partition('source', partition);
    const identity = transactions.init(name, NEVER_MS);
    const { producerEpoch, producerId } = identity;
    if (log === undefined) throw new Error(`the source has no partition ${partition}`);
    transactions.add(name, producerId, producerEpoch, new Map([[`source/${partition}`, log]]));
    const builder = new RecordBatchBuilder(256);
    builder.append(timestamp, key, String(id), []);
    const batch = builder.finish({ transactional: true });
    stampProducer(batch, identity, 0);
    const { baseOffset, errorCode } = log.append(batch);
    if (errorCode !== 0) throw new Error(`somebody else is refused: ${errorCode}`);
    const end = (): number => transactions.end(name, producerId, producerEpoch, ending === 'commit');
    if (ending !== 'never') clock.after(afterMs, end);
    if (ending !== 'never') this.#used.push(name);
    return baseOffset;
  }

  /** A name whose transaction is over: who has aborted one writes another. */
  #free(): string | undefined {
    const at = this.#used.findIndex((name) => this.#broker.transactions.state(name)?.startsWith('Complete'));
    return at < 0 ? undefined : this.#used.splice(at, 1)[0];
  }
}
