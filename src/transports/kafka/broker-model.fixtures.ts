import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { Cluster } from './cluster.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { connectionError } from './errors.ts';
import { thisMachine } from './machine.ts';
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

/** A batch whose records can be told from all others; those that are bad are refused by the broker. */
export function batchOf(partition: number, bad: readonly boolean[], divisible: boolean): NamedBatch {
  const records = new RecordBatchBuilder();
  const names = bad.map((isBad, index) => `${isBad ? 'bad' : 'good'} ${made}/${index}`);
  made += 1;
  for (const name of names) records.append(1, null, name, []);
  return { topic: TOPIC, partition, bytes: records.finish(), count: bad.length, divisible, names };
}

export type NamedBatch = EncodedBatch & { readonly names: readonly string[] };

function namesOf(bytes: Uint8Array): string[] {
  const columns = decodeBatch(bytes, 0);
  return Array.from({ length: columns.count }, (_, at) => {
    const start = columns.valueStart[at] as number;
    return Buffer.from(columns.bytes.subarray(start, start + (columns.valueLength[at] as number))).toString();
  });
}

/**
 * A broker as far as writing goes: it takes the batches of a producer in sequence, any number from one that it does not
 * know, and knows the last five again. Requests are carried out in the order in which they come.
 */
export class BrokerModel {
  readonly #attempts: Attempt[];
  readonly #tells: boolean;
  readonly #logs = new Map<number, Row[]>();
  readonly #producers = new Map<string, Known>();
  #ids = 0n;

  /** @param tells - Whether it says which records of a batch are bad. */
  constructor(attempts: readonly Attempt[], tells: boolean) {
    this.#attempts = [...attempts];
    this.#tells = tells;
  }

  /** A producer id; the same one for as long as a transaction goes on. */
  identity(same: boolean): ProducerIdentity {
    if (!same || this.#ids === 0n) this.#ids++;
    return { producerId: this.#ids, producerEpoch: 0 };
  }

  /** Where a record is, each time that it is there. */
  offsetsOf(partition: number, name: string): number[] {
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
      const refused = { errorCode: code, baseOffset: -1, topic: TOPIC, recordErrors: [], message: '' };
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
    const header = decodeBatch(bytes, 0);
    const answered = { topic: TOPIC, partition, recordErrors: [], message: '' };
    const sequence = header.baseSequence;
    const key = `${partition} ${header.producerId}`;
    const count = header.count;
    let known = this.#producers.get(key);
    const duplicate = known?.last.find((each) => each.sequence === sequence && each.count === count);
    if (duplicate !== undefined) return { ...answered, errorCode: 0, baseOffset: duplicate.offset };
    if (known !== undefined && known.next !== sequence) return { ...answered, errorCode: 45, baseOffset: -1 };
    const names = namesOf(bytes);
    const errors = names.flatMap((name, index) => (name.startsWith('bad') ? [{ index, message: 'bad' }] : []));
    if (errors.length > 0) {
      return { ...answered, errorCode: 87, baseOffset: -1, recordErrors: this.#tells ? errors : [], message: '' };
    }
    let log = this.#logs.get(partition);
    if (log === undefined) this.#logs.set(partition, (log = []));
    // With a record of somebody else between two batches.
    const offset = (log.at(-1)?.offset ?? -1) + 2;
    log.push(...names.map((name, at) => ({ offset: offset + at, name })));
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
  const cluster: Pick<Cluster, 'machine' | 'settings' | 'newLane' | 'closeLane' | 'reach'> & {
    readonly request: unknown;
  } = {
    settings: { logger, ...settings } as KafkaSettings,
    machine: thisMachine,
    newLane: (purpose) => purpose,
    closeLane: () => undefined,
    reach: async () => undefined,
    request: (_node: number, _lane: string, _api: unknown, query: ProduceRequest) => broker.produce(query),
  };
  return cluster as unknown as Cluster;
}

/**
 * What a sender needs to know of topics. A leader is known at first, and once it has been looked up.
 *
 * @param lookUp - Waits as long as the next look-up takes.
 */
export function topicsOf(lookUp: () => Promise<void> = async () => undefined): Topics {
  const topic = { name: TOPIC, leaders: [1, 1] };
  let known = true;
  const topics: Partial<Topics> = {
    peekLeader: () => (known ? 1 : undefined),
    refresh: async () => {
      await lookUp();
      known = true;
      return topic;
    },
    leader: async () => 1,
    forget: () => void (known = false),
    changed: () => undefined,
    peekMaxMessageBytes: () => 1000,
  };
  return topics as Topics;
}
