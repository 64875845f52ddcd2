import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { decodeBatch } from '../../src/protocol/batch-decoder.ts';
import { peekBatchHeader } from '../../src/protocol/batch-header.ts';
import type { Cluster } from '../../src/transports/kafka/cluster.ts';
import { kafkaCodeOf } from '../../src/transports/kafka/errors.ts';
import { stampProducer } from '../../src/transports/kafka/stamp-producer.ts';
import type { Api } from '../../src/transports/kafka/wire/api.ts';
import { fetchApi } from '../../src/transports/kafka/wire/fetch.ts';
import type { CoordinatorKind } from '../../src/transports/kafka/wire/find-coordinator.ts';
import { EARLIEST, LATEST, listOffsetsApi } from '../../src/transports/kafka/wire/list-offsets.ts';
import {
  heartbeatApi,
  type JoinGroupResponse,
  joinGroupApi,
  leaveGroupApi,
  syncGroupApi,
} from '../../src/transports/kafka/wire/membership.ts';
import { metadataApi } from '../../src/transports/kafka/wire/metadata.ts';
import { type GroupIdentity, offsetCommitApi } from '../../src/transports/kafka/wire/offset-commit.ts';
import { offsetFetchApi } from '../../src/transports/kafka/wire/offset-fetch.ts';
import { produceApi } from '../../src/transports/kafka/wire/produce.ts';
import { createTopicsApi, deleteRecordsApi } from '../../src/transports/kafka/wire/topic-requests.ts';
import * as txn from '../../src/transports/kafka/wire/transactions.ts';
import type { Random } from '../simulation/random.ts';

/** Something that is done to both brokers. */
export type Operation =
  | { readonly kind: 'init'; readonly producer: number }
  | {
      readonly kind: 'produce';
      readonly producer: number;
      readonly partition: number;
      readonly count: number;
      readonly how: 'next' | 'again' | 'gap' | 'old epoch';
      readonly transactional: boolean;
    }
  | { readonly kind: 'add partition'; readonly producer: number; readonly partition: number; readonly old: boolean }
  | { readonly kind: 'add offsets'; readonly producer: number }
  | {
      readonly kind: 'commit in transaction';
      readonly producer: number;
      readonly member: number;
      readonly old: boolean;
    }
  | { readonly kind: 'end'; readonly producer: number; readonly commit: boolean; readonly old: boolean }
  | { readonly kind: 'offsets'; readonly partition: number; readonly committed: boolean; readonly time: number }
  | { readonly kind: 'fetch'; readonly partition: number; readonly offset: number; readonly committed: boolean }
  | { readonly kind: 'commit'; readonly member: number; readonly old: boolean }
  | { readonly kind: 'committed'; readonly stable: boolean }
  | { readonly kind: 'share' }
  | { readonly kind: 'join'; readonly member: number }
  | { readonly kind: 'heartbeat'; readonly member: number; readonly old: boolean }
  | { readonly kind: 'leave'; readonly member: number }
  | { readonly kind: 'delete records'; readonly partition: number; readonly offset: number }
  | { readonly kind: 'create' };

const PARTITIONS = 2;
/** When the records are from: a broker rolls its files, and removes them, by that. */
const NOW = Date.now() - 3_600_000;
/** Nobody: who commits without being a member. */
const NOBODY = -1;

export function makeOperations(random: Random, count: number): Operation[] {
  const producer = (): number => random.int(0, 1);
  const partition = (): number => random.int(0, PARTITIONS - 1);
  const member = (): number => random.int(NOBODY, 2);
  const old = (): boolean => random.chance(0.15);
  const one = (): Operation => {
    switch (random.int(0, 19)) {
      case 0:
        return { kind: 'init', producer: producer() };
      case 1:
      case 2:
      case 3:
      case 4: {
        const how = random.pick(['next', 'next', 'next', 'again', 'gap', 'old epoch'] as const);
        const transactional = random.chance(0.8);
        return {
          kind: 'produce',
          producer: producer(),
          partition: partition(),
          count: random.int(1, 3),
          how,
          transactional,
        };
      }
      case 5:
      case 6:
        return { kind: 'add partition', producer: producer(), partition: partition(), old: old() };
      case 7:
        return { kind: 'add offsets', producer: producer() };
      case 8:
        return { kind: 'commit in transaction', producer: producer(), member: member(), old: old() };
      case 9:
      case 10:
        return { kind: 'end', producer: producer(), commit: random.chance(0.6), old: old() };
      case 11:
        return {
          kind: 'offsets',
          partition: partition(),
          committed: random.chance(0.5),
          time: random.pick([EARLIEST, LATEST, NOW + 5, NOW + 40]),
        };
      case 12:
      case 13:
        return { kind: 'fetch', partition: partition(), offset: random.int(0, 20), committed: random.chance(0.7) };
      case 14:
        return { kind: 'commit', member: member(), old: old() };
      case 15:
        return { kind: 'committed', stable: random.chance(0.5) };
      case 16:
        return random.chance(0.5) ? { kind: 'share' } : { kind: 'join', member: random.int(0, 2) };
      case 17:
        return { kind: 'heartbeat', member: random.int(0, 2), old: old() };
      case 18:
        return random.chance(0.4)
          ? { kind: 'leave', member: random.int(0, 2) }
          : { kind: 'delete records', partition: partition(), offset: random.int(0, 6) };
      default:
        return random.chance(0.1) ? { kind: 'create' } : { kind: 'committed', stable: false };
    }
  };
  return Array.from({ length: count }, one);
}

interface Producer {
  identity: txn.ProducerIdentity;
  before: txn.ProducerIdentity | undefined;
  /** The next sequence number by partition, and the batch before. */
  readonly next: Map<number, number>;
  readonly last: Map<number, { readonly bytes: Uint8Array }>;
}

interface Member {
  memberId: string;
  generation: number;
}

/** A broker, with what is known of those who use it. Names that it gives are not told. */
export class Side {
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #producers = new Map<number, Producer>();
  readonly #members = new Map<number, Member>();
  #written = 0;
  #commits = 0;

  constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.#name = name;
  }

  async begin(): Promise<void> {
    await this.#create();
    for (;;) {
      const { topics } = await this.#cluster.ask(metadataApi, { topics: [this.#name] });
      if (topics[0]?.errorCode === 0 && topics[0].partitions.every(({ leader }) => leader >= 0)) break;
    }
    // The coordinator reads its log first.
    const query = { groupId: this.#name, partitions: [{ topic: this.#name, partition: 0 }], stable: false };
    await this.#ofGroup(offsetFetchApi, query, (found) => found.errorCode);
    // A look-up makes the log of transactions, without which a commit in a transaction that never began is not answered.
    await this.#coordinator('transaction', this.#name);
    // What leads to it may not know it yet.
    const questions = [0, 1].map((partition) => ({ topic: this.#name, partition, time: LATEST }));
    await this.#again(
      async () => this.#cluster.request(await this.#leader(), 'main', listOffsetsApi, { committed: false, questions }),
      (found) => found.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0,
    );
  }

  async run(operation: Operation): Promise<unknown> {
    try {
      return await this.#run(operation);
    } catch (error) {
      return `error ${kafkaCodeOf(error) ?? (error as Error).message}`;
    }
  }

  async #run(operation: Operation): Promise<unknown> {
    switch (operation.kind) {
      case 'create':
        return (await this.#create())[0]?.errorCode;
      case 'init':
        return this.#init(operation.producer);
      case 'produce':
        return this.#produce(operation);
      case 'add partition': {
        const partitions = [{ topic: this.#name, partition: operation.partition }];
        const query = { ...this.#as(operation.producer, operation.old), partitions };
        return (await this.#transaction(operation.producer, txn.addPartitionsToTxnApi, query))[0]?.errorCode;
      }
      case 'add offsets':
        return this.#transaction(operation.producer, txn.addOffsetsToTxnApi, {
          ...this.#as(operation.producer, false),
          groupId: this.#name,
        });
      case 'commit in transaction': {
        const query = { ...this.#as(operation.producer, operation.old), ...this.#is(operation.member, false) };
        const offsets = this.#offsets();
        const answers = await this.#ofGroup(
          txn.txnOffsetCommitApi,
          { ...query, offsets },
          (found) => found[0]?.errorCode ?? 0,
        );
        return answers.map(({ errorCode }) => errorCode);
      }
      case 'end': {
        const query = { ...this.#as(operation.producer, operation.old), commit: operation.commit };
        const code = await this.#transaction(operation.producer, txn.endTxnApi, query);
        await this.#settled(operation.producer);
        return code;
      }
      case 'offsets': {
        const { committed, partition, time } = operation;
        const questions = [{ topic: this.#name, partition, time }];
        const [answer] = await this.#cluster.request(await this.#leader(), 'main', listOffsetsApi, {
          committed,
          questions,
        });
        return [answer?.errorCode, answer?.offset];
      }
      case 'fetch':
        return this.#fetch(operation);
      case 'commit': {
        const query = { ...this.#is(operation.member, operation.old), offsets: this.#offsets() };
        const answers = await this.#ofGroup(offsetCommitApi, query, (found) => found[0]?.errorCode ?? 0);
        return answers.map(({ errorCode }) => errorCode);
      }
      case 'committed': {
        const partitions = [0, 1].map((partition) => ({ topic: this.#name, partition }));
        const query = { groupId: this.#name, partitions, stable: operation.stable };
        const { errorCode, offsets } = await this.#ofGroup(offsetFetchApi, query, (found) => found.errorCode);
        return [errorCode, offsets.map((each) => [each.partition, each.errorCode, each.offset, each.metadata])];
      }
      case 'share':
        return this.#share();
      case 'join':
        return this.#join(operation.member);
      case 'heartbeat': {
        return this.#ofGroup(heartbeatApi, this.#is(operation.member, operation.old), (found) => found);
      }
      case 'leave': {
        const { memberId } = this.#is(operation.member, false);
        const code = await this.#ofGroup(leaveGroupApi, { groupId: this.#name, memberId }, (found) => found);
        if (this.#members.delete(operation.member)) await this.#share();
        return code;
      }
      case 'delete records': {
        const before = [{ topic: this.#name, partition: operation.partition, offset: operation.offset }];
        const [answer] = await this.#cluster.request(await this.#leader(), 'main', deleteRecordsApi, {
          before,
          timeoutMs: 5000,
        });
        return answer?.errorCode;
      }
    }
  }

  #create() {
    const topics = [{ topic: this.#name, partitions: PARTITIONS, replicationFactor: 1, configs: [] }];
    return this.#cluster.ask(createTopicsApi, { topics, timeoutMs: 5000 });
  }

  async #leader(): Promise<number> {
    return this.#cluster.nodeIds[0] as number;
  }

  /** A broker that was just started makes the topics of its coordinators first. */
  async #coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    for (;;) {
      try {
        return await this.#cluster.coordinator(kind, key);
      } catch (error) {
        if (kafkaCodeOf(error) !== 15) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  #ofGroup<Q, R>(api: Api<Q, R>, query: Q, codeOf: (answer: R) => number): Promise<R> {
    return this.#again(async () => {
      const node = await this.#coordinator('group', this.#name);
      return this.#cluster.request(node, 'main', api, query);
    }, codeOf);
  }

  /** Tries until nothing is about to change. */
  async #again<T>(ask: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (![3, 5, 6, 14, 15, 16, 19, 51].includes(codeOf(answer))) return answer;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #transactionalId(producer: number): string {
    return `${this.#name}-${producer}`;
  }

  async #init(producer: number): Promise<unknown> {
    const id = this.#transactionalId(producer);
    const answer = await this.#again(
      async () => {
        const node = await this.#coordinator('transaction', id);
        return this.#cluster.request(node, 'main', txn.initProducerIdApi, { transactionalId: id, timeoutMs: 60_000 });
      },
      ({ errorCode }) => errorCode,
    );
    const before = this.#producers.get(producer)?.identity;
    this.#producers.set(producer, { identity: answer, before, next: new Map(), last: new Map() });
    return [answer.errorCode, answer.producerEpoch];
  }

  #as(producer: number, old: boolean): txn.TransactionIdentity {
    const known = this.#producers.get(producer);
    const identity = (old ? known?.before : undefined) ?? known?.identity ?? { producerId: 987_654n, producerEpoch: 0 };
    const { producerEpoch, producerId } = identity;
    return { producerId, producerEpoch, transactionalId: this.#transactionalId(producer) };
  }

  async #transaction<Q, R>(producer: number, api: Api<Q, R>, query: Q): Promise<R> {
    const node = await this.#coordinator('transaction', this.#transactionalId(producer));
    return this.#again(
      () => this.#cluster.request(node, 'main', api, query),
      (found) => (typeof found === 'number' ? found : ((found as { errorCode: number }[])[0]?.errorCode ?? 0)),
    );
  }

  /** Waits until the end of a transaction is known everywhere. */
  async #settled(producer: number): Promise<void> {
    const id = this.#transactionalId(producer);
    const node = await this.#coordinator('transaction', id);
    for (;;) {
      const { state } = await this.#cluster.request(node, 'main', txn.describeTransactionApi, { transactionalId: id });
      if (!state.startsWith('Prepare')) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #produce(operation: Operation & { readonly kind: 'produce' }): Promise<unknown> {
    const { count, how, partition, producer, transactional } = operation;
    const known = this.#producers.get(producer);
    const id = this.#transactionalId(producer);
    const records = new RecordBatchBuilder();
    for (let at = 0; at < count; at++) records.append(NOW + this.#written++, null, `${producer} ${this.#written}`, []);
    let bytes = records.finish({ transactional });
    const identity = (how === 'old epoch' ? known?.before : undefined) ?? known?.identity;
    const next = known?.next.get(partition) ?? 0;
    const sequence = how === 'gap' ? next + 7 : next;
    if (identity !== undefined) stampProducer(bytes, identity, sequence);
    if (how === 'again') bytes = known?.last.get(partition)?.bytes.slice() ?? bytes;
    const query = {
      transactionalId: transactional ? id : null,
      timeoutMs: 5000,
      batches: [{ topic: this.#name, partition, batch: bytes }],
    };
    if (identity === undefined && transactional) return 'no producer';
    const answer = await this.#again(
      async () => this.#cluster.request(await this.#leader(), 'main', produceApi, query),
      ({ partitions }) => partitions[0]?.errorCode ?? 0,
    );
    const [produced] = answer.partitions;
    if (produced?.errorCode === 0 && how !== 'again' && how !== 'old epoch' && known !== undefined) {
      known.next.set(partition, sequence + count);
      known.last.set(partition, { bytes: bytes.slice() });
    }
    return [produced?.errorCode, produced?.baseOffset];
  }

  async #fetch({ committed, offset, partition }: Operation & { readonly kind: 'fetch' }): Promise<unknown> {
    const partitions = [
      { topic: this.#name, topicId: undefined, partition, leaderEpoch: -1, lastEpoch: -1, offset, maxBytes: 100_000 },
    ];
    const query = { maxWaitMs: 0, maxBytes: 1_000_000, committed, partitions };
    const answer = await this.#cluster.request(await this.#leader(), 'main', fetchApi(partitions), query);
    const [found] = answer.partitions;
    if (found === undefined) return 'nothing';
    const values: string[] = [];
    for (let at = 0; at < found.records.length; ) {
      const header = peekBatchHeader(found.records, at);
      if (header === undefined) break;
      values.push(
        `${header.baseOffset}-${header.nextOffset}${header.control ? ' marker' : ''} e${header.producerEpoch} s${header.baseSequence}`,
      );
      if (!header.control) decodeBatch(found.records, at);
      at += header.byteLength;
    }
    const aborted = found.aborted.map(({ firstOffset }) => firstOffset).sort((left, right) => left - right);
    return [found.errorCode, found.highWatermark, found.lastStableOffset, aborted, values];
  }

  #is(member: number, old: boolean): GroupIdentity {
    const known = this.#members.get(member);
    const nobody = { groupId: this.#name, generation: -1, memberId: '', instanceId: null };
    if (member === NOBODY) return nobody;
    if (known === undefined) return { ...nobody, generation: 1, memberId: 'somebody' };
    return { ...nobody, generation: known.generation - (old ? 1 : 0), memberId: known.memberId };
  }

  #offsets() {
    this.#commits += 1;
    return [{ topic: this.#name, partition: this.#commits % 2, offset: this.#commits, metadata: `m${this.#commits}` }];
  }

  /** A member more, if it is none yet; then all of them join. */
  async #join(member: number): Promise<unknown> {
    if (!this.#members.has(member)) {
      const first = await this.#ask('');
      if (first.errorCode !== 79) return first.errorCode;
      this.#members.set(member, { memberId: first.memberId, generation: -1 });
    }
    return this.#share();
  }

  /** All members join, and share nothing out. */
  async #share(): Promise<unknown> {
    const answers = await Promise.all(
      Array.from(this.#members, async ([at, { memberId }]) => ({ at, answer: await this.#ask(memberId, at) })),
    );
    const codes: number[] = [];
    await Promise.all(
      answers.map(async ({ answer, at }) => {
        codes.push(answer.errorCode);
        if (answer.errorCode !== 0) {
          this.#members.delete(at);
          return;
        }
        const { generation, leader, memberId, members } = answer;
        this.#members.set(at, { memberId, generation });
        const node = await this.#coordinator('group', this.#name);
        const assignments =
          leader === memberId
            ? members.map((each) => ({ memberId: each.memberId, assignment: Buffer.from(`all of ${members.length}`) }))
            : [];
        const query = { ...this.#is(at, false), assignments };
        const { assignment, errorCode } = await this.#cluster.request(node, `member ${at}`, syncGroupApi, query);
        codes.push(errorCode);
        if (Buffer.from(assignment).toString() !== `all of ${answers.length}`) codes.push(-1);
      }),
    );
    return [codes, answers.map(({ answer }) => answer.generation)];
  }

  async #ask(memberId: string, at = 0): Promise<JoinGroupResponse> {
    const node = await this.#coordinator('group', this.#name);
    // Other metadata each time: who joins with the same is told what it has.
    const metadata = Buffer.from(`${memberId === '' ? '' : this.#commits++}`);
    return this.#cluster.request(node, `member ${at}`, joinGroupApi, {
      groupId: this.#name,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      instanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'model', metadata }],
    });
  }
}
