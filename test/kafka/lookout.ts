import { type Admin, Kafka, logLevel } from 'kafkajs';
import { Cluster } from '../../src/transports/kafka/cluster.ts';
import { Offsets } from '../../src/transports/kafka/offsets.ts';
import { kafkaSettings } from '../../src/transports/kafka/options.ts';
import { Topics } from '../../src/transports/kafka/topics.ts';
import type { Api } from '../../src/transports/kafka/wire/api.ts';
import { findCoordinatorApi } from '../../src/transports/kafka/wire/find-coordinator.ts';

/** Sees what goes on in a cluster, to break it at the right place and time. */
export class Lookout {
  readonly #cluster: Cluster;
  readonly #admin: Admin;
  readonly #offsets: Offsets;

  private constructor(cluster: Cluster, admin: Admin) {
    this.#cluster = cluster;
    this.#admin = admin;
    this.#offsets = new Offsets(cluster, new Topics(cluster));
  }

  static async open(brokers: readonly string[]): Promise<Lookout> {
    const cluster = new Cluster(kafkaSettings({ brokers }));
    await cluster.connect();
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return new Lookout(cluster, admin);
  }

  /** The broker that leads a partition. */
  async leader(topic: string, partition = 0): Promise<number> {
    const { topics } = await this.#cluster.metadata([topic]);
    return topics[0]?.partitions.find((each) => each.partition === partition)?.leader ?? -1;
  }

  /** The broker that looks after a group now. */
  async coordinator(group: string): Promise<number> {
    return (await this.#cluster.ask(findCoordinatorApi, { key: group, kind: 'group' })).node;
  }

  /** A broker that looks after the transactions of a member of a group now. */
  async transactionCoordinator(group: string): Promise<number> {
    await this.#cluster.metadata([]);
    for (const node of this.#cluster.nodeIds) {
      const found = await this.#cluster.request(node, 'main', listTransactionsApi, {});
      if (found.some(({ id }) => id.startsWith(`${group}-`))) return node;
    }
    throw new Error(`no member of ${group} has transactions`);
  }

  /** Resolves when a broker that is gone leads nothing any more. */
  async replaced(node: number): Promise<void> {
    for (;;) {
      // The answer may have been on its way from that broker.
      const { topics } = await this.#cluster.metadata(null).catch(() => ({ topics: [] }));
      if (
        topics.length > 0 &&
        topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0 && leader !== node))
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** The transactions of a group that are not over, and their states. */
  async openTransactions(group: string): Promise<string[]> {
    const all = await Promise.all(
      this.#cluster.nodeIds.map((node) => this.#cluster.request(node, 'main', listTransactionsApi, {})),
    );
    const own = all.flat().filter(({ id }) => id.startsWith(`${group}-`));
    return own.filter(({ state }) => !/^(Empty|Complete)/.test(state)).map(({ id, state }) => `${id} ${state}`);
  }

  /** Resolves when all replicas of all partitions are in sync. */
  async inSync(): Promise<void> {
    for (;;) {
      const { topics } = await this.#admin.fetchTopicMetadata();
      if (topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length)))
        return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Resolves at a moment at which a partition has records of an open transaction. */
  async transactionIn(topic: string, partition = 0): Promise<void> {
    for (;;) {
      const ends = await this.#offsets.find(topic, 'latest', [partition], false);
      const stable = await this.#offsets.find(topic, 'latest', [partition]);
      if ((stable.get(partition) ?? 0) < (ends.get(partition) ?? 0)) return;
    }
  }

  async close(): Promise<void> {
    this.#cluster.close();
    await this.#admin.disconnect();
  }
}

/** The transactions that a broker looks after. */
const listTransactionsApi: Api<object, readonly { readonly id: string; readonly state: string }[]> = {
  name: 'ListTransactions',
  key: 66,
  version: 0,
  flexible: true,
  encode: (writer) =>
    writer
      .compactArray([], () => undefined)
      .compactArray([], () => undefined)
      .tags(),
  decode: (reader) => {
    reader.int32();
    reader.int16();
    reader.compactArray(() => reader.compactString());
    return reader.compactArray(() => {
      const id = reader.compactString();
      reader.int64();
      const state = reader.compactString();
      reader.tags();
      return { id, state };
    });
  },
};
