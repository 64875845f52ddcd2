import type { Clock } from '../../../src/dataflow/clock.ts';
import { WireReader } from '../../../src/transports/kafka/wire/reader.ts';
import { WireWriter } from '../../../src/transports/kafka/wire/writer.ts';
import type { Random } from '../random.ts';
import type { Amiss } from './amiss.ts';
import { fetchRecords } from './fetching.ts';
import { groupRequests } from './group-requests.ts';
import { Groups } from './groups.ts';
import { topicRequests } from './topic-requests.ts';
import { ModelTopics } from './topics.ts';
import { Transactions } from './transactions.ts';
import { writeRequests } from './write-requests.ts';

/** How a request comes. */
export interface Asked {
  readonly version: number;
  /** Who is asked; any of the nodes unless given. */
  readonly node?: number;
  readonly amiss?: Amiss | undefined;
  /** Its sender has given it up. */
  readonly stale?: boolean;
}

/** What a kind of request does: reads the question, and writes the answer. */
export type Handler = (
  reader: WireReader,
  writer: WireWriter,
  broker: ModelBroker,
  asked: Asked,
) => void | Promise<void>;

/** Requests in the versions that the model speaks, and from which version on they have tagged fields. */
const requests: ReadonlyMap<
  number,
  { readonly versions: readonly number[]; readonly flexible: number; readonly handle: Handler }
> = new Map([
  ...writeRequests,
  ...groupRequests,
  ...topicRequests,
  [1, { versions: [12, 13], flexible: 12, handle: fetchRecords }],
]);

/**
 * A Kafka cluster in memory as far as its requests can tell: topics, idempotent and transactional writing with fencing,
 * committed reading, groups. All of its nodes share one state. What Kafka decides by time goes by the clock.
 */
export class ModelBroker {
  readonly clock: Clock;
  readonly random: Random;
  readonly topics: ModelTopics = new ModelTopics();
  readonly groups: Groups;
  readonly transactions: Transactions;
  readonly nodes: readonly number[];
  #moves = 0;

  constructor(clock: Clock, random: Random, nodes = 2) {
    this.clock = clock;
    this.random = random;
    this.groups = new Groups(clock);
    this.transactions = new Transactions(clock, random, this.groups);
    this.nodes = Array.from({ length: nodes }, (_, at) => at + 1);
  }

  addressOf(node: number): { readonly host: string; readonly port: number } {
    return { host: `node-${node}`, port: 9092 };
  }

  /** Everything gets another leader, and another coordinator. They know what those before them knew. */
  move(): void {
    this.#moves += 1;
  }

  /** Whether a node is the one for something. */
  isFor(name: string, { node }: Asked): boolean {
    return node === undefined || node === this.nodeOf(name);
  }

  /** Who leads a partition, or coordinates something. */
  nodeOf(name: string): number {
    let hash = this.#moves;
    for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) >>> 0;
    return this.nodes[hash % this.nodes.length] as number;
  }

  supports(key: number, version: number): boolean {
    return requests.get(key)?.versions.includes(version) === true;
  }

  /** Carries out a request. @returns the bytes of the answer behind its header */
  async handle(key: number, payload: Uint8Array, asked: Asked): Promise<Buffer> {
    const { version } = asked;
    const kind = requests.get(key);
    if (kind === undefined || !kind.versions.includes(version)) throw new Error(`request ${key} version ${version}`);
    const reader = new WireReader(payload);
    const writer = new WireWriter();
    if (version >= kind.flexible) {
      reader.tags();
      writer.tags();
    }
    await kind.handle(reader, writer, this, asked);
    return Buffer.concat(writer.pieces());
  }
}
