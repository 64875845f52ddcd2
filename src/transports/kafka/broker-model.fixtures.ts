import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import type { Cluster } from './cluster.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { connectionError } from './errors.ts';
import type { KafkaSettings } from './options.ts';
import { sequenceAfter } from './stamp-producer.ts';
import type { Topics } from './topics.ts';
import type { ProducedPartition, ProduceRequest, ProduceResponse } from './wire/produce.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** What becomes of a request. `late`: it has no answer, and arrives after a while nevertheless. */
export interface Attempt {
  readonly fate: 'answered' | 'lost before' | 'lost after' | 'late' | 'refused' | 'appended, then';
  readonly code?: number;
  readonly delay: number;
}

/** A producer in a partition, as a broker remembers it. */
interface Known {
  next: number;
  last: { readonly sequence: number; readonly count: number; readonly offset: number }[];
}

interface Row {
  readonly offset: number;
  readonly name: string;
}

const TOPIC = 'outputs';
let made = 0;

/** A batch whose records can be told from all others. */
export function batchOf(partition: number, count: number): EncodedBatch {
  const records = new RecordBatchBuilder();
  const name = `batch ${made++}`;
  for (let i = 0; i < count; i++) records.append(1, null, name, []);
  return { topic: TOPIC, partition, bytes: records.finish(), count };
}

/** The records of a batch, which its producer does not change. */
const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(61)).toString('latin1');

/**
 * A broker as far as writing goes: it takes the batches of a producer in sequence, any number from one that it does not
 * know, and knows the last five again. Requests are carried out in the order in which they come.
 */
export class BrokerModel {
  readonly #attempts: Attempt[];
  readonly #logs = new Map<number, Row[]>();
  readonly #producers = new Map<string, Known>();
  #ids = 0n;

  constructor(attempts: readonly Attempt[]) {
    this.#attempts = [...attempts];
  }

  /** A producer id; the same one for as long as a transaction goes on. */
  identity(same: boolean): ProducerIdentity {
    if (!same || this.#ids === 0n) this.#ids++;
    return { producerId: this.#ids, producerEpoch: 0 };
  }

  /** Where the first record of a batch is, each time that it is there. */
  offsetsOf({ bytes, partition }: EncodedBatch): number[] {
    const name = nameOf(bytes);
    return (this.#logs.get(partition) ?? []).filter((row) => row.name === name).map(({ offset }) => offset);
  }

  async produce({ batches }: ProduceRequest): Promise<ProduceResponse> {
    const { fate, code = 0, delay } = this.#attempts.shift() ?? { fate: 'answered', delay: 0 };
    // What is on its way does not change any more.
    const copies = batches.map(({ batch, partition }) => ({ partition, bytes: batch.slice() }));
    const append = (): ProducedPartition[] => copies.map((copy) => this.#append(copy.partition, copy.bytes));
    const lost = async (): Promise<never> => {
      await new Promise((resolve) => setTimeout(resolve, fate === 'late' ? 5 : delay));
      throw connectionError('model', 'the connection was cut');
    };
    if (fate === 'late') setTimeout(append, delay);
    if (fate === 'late' || fate === 'lost before') return lost();
    if (fate === 'refused') {
      const refused = { errorCode: code, baseOffset: -1, topic: TOPIC };
      return answer(
        copies.map(({ partition }) => ({ ...refused, partition })),
        delay,
      );
    }
    const partitions = append();
    if (fate === 'lost after') return lost();
    if (fate === 'answered') return answer(partitions, delay);
    const replaced = partitions.map((one) => (one.errorCode === 0 ? { ...one, errorCode: code, baseOffset: -1 } : one));
    return answer(replaced, delay);
  }

  #append(partition: number, bytes: Uint8Array): ProducedPartition {
    const header = peekBatchHeader(bytes, 0)!;
    const answered = { topic: TOPIC, partition };
    const sequence = header.baseSequence;
    const key = `${partition} ${header.producerId}`;
    const count = header.count;
    let known = this.#producers.get(key);
    const duplicate = known?.last.find((each) => each.sequence === sequence && each.count === count);
    if (duplicate !== undefined) return { ...answered, errorCode: 0, baseOffset: duplicate.offset };
    if (known !== undefined && known.next !== sequence) return { ...answered, errorCode: 45, baseOffset: -1 };
    let log = this.#logs.get(partition);
    if (log === undefined) this.#logs.set(partition, (log = []));
    const offset = log.length * 10;
    log.push({ offset, name: nameOf(bytes) });
    if (known === undefined) this.#producers.set(key, (known = { next: 0, last: [] }));
    known.next = sequenceAfter(sequence, count);
    known.last = [...known.last.slice(-4), { sequence, count, offset }];
    return { ...answered, errorCode: 0, baseOffset: offset };
  }
}

async function answer(partitions: readonly ProducedPartition[], delay: number): Promise<ProduceResponse> {
  await new Promise((resolve) => setTimeout(resolve, delay));
  return { throttleMs: 0, partitions };
}

/** What a sender needs of a cluster, with a model for a broker. */
export function clusterOf(broker: BrokerModel, settings: Partial<KafkaSettings>): Cluster {
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const cluster: Pick<Cluster, 'settings' | 'newLane' | 'closeLane' | 'reach'> & { readonly request: unknown } = {
    settings: { logger, ...settings } as KafkaSettings,
    newLane: (purpose) => purpose,
    closeLane: () => undefined,
    reach: async () => undefined,
    request: (_node: number, _lane: string, _api: unknown, query: ProduceRequest) => broker.produce(query),
  };
  return cluster as unknown as Cluster;
}

/** What a sender needs to know of topics. */
export function topicsOf(): Topics {
  const topic = { name: TOPIC, leaders: [1, 1] };
  const topics: Partial<Topics> = {
    peekLeader: () => 1,
    refresh: async () => topic,
    leader: async () => 1,
    forget: () => undefined,
    changed: () => undefined,
    peekMaxMessageBytes: () => 1000,
  };
  return topics as Topics;
}
