import type { CommittedOffset, TopicPartition } from '../../log/transport.ts';
import { MAX_GONE_TOPICS } from '../local/gone-topics.ts';
import { DEFAULT_TOPIC_CONFIG, type FullTopicConfig } from '../local/topic-config.ts';
import { afterPrefix, metaKey, partitionKey } from './keys.ts';
import type { Databases } from './lmdb.ts';
import { type EmbeddedMachine, thisMachine } from './machine.ts';
import { decodePartition, encodePartition, type PartitionState } from './partition-state.ts';
import { seal, unseal } from './sealed.ts';

/** A topic as it is stored. */
export interface StoredTopic {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly config: FullTopicConfig;
}

/** A deleted topic that a group had read. */
interface GoneTopic {
  readonly id: number;
}

/** Ids that are assigned once, and the version that tells other processes to reread the topics. */
interface Ids {
  readonly nextId: number;
  /**
   * A random number after each change: with a counter, two different changes could have the same version if one of them
   * were lost.
   */
  readonly topicsVersion: number;
}

const IDS = metaKey('ids');
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Reads and writes the `meta` database. Reads see the surrounding write transaction, or else the last commit; writes are
 * allowed only inside a write transaction.
 */
export class Catalog {
  readonly #db: Databases;
  readonly #machine: Pick<EmbeddedMachine, 'number'>;
  #topics = new Map<string, StoredTopic>();
  #topicsVersion = -1;
  /** The expected counter if no other process has assigned a number. */
  #nextId = -1;

  constructor(db: Databases, machine: Pick<EmbeddedMachine, 'number'> = thisMachine) {
    this.#db = db;
    this.#machine = machine;
  }

  /** All topics by name; the same map as before if nothing has changed. */
  topics(): ReadonlyMap<string, StoredTopic> {
    const { topicsVersion } = this.#ids();
    if (topicsVersion !== this.#topicsVersion) {
      const topics = new Map<string, StoredTopic>();
      for (const topic of this.list('topic') as StoredTopic[]) {
        // Topics stored by an older version lack newer settings.
        topics.set(topic.name, { ...topic, config: { ...DEFAULT_TOPIC_CONFIG, ...topic.config } });
      }
      this.#topics = topics;
      this.#topicsVersion = topicsVersion;
    }
    return this.#topics;
  }

  putTopics(topics: readonly StoredTopic[]): void {
    if (topics.length === 0) return;
    for (const topic of topics) this.putJson(metaKey('topic', topic.name), topic);
    this.#touchTopics();
  }

  removeTopic(name: string): void {
    this.#db.meta.removeSync(metaKey('topic', name));
    this.#touchTopics();
  }

  /** A number that no topic or store has ever had. */
  newId(): number {
    const ids = this.#ids();
    let id = ids.nextId;
    // Even if the counter is wrong, a number in use is not assigned again.
    if (id !== this.#nextId) {
      for (const topic of this.list('topic') as StoredTopic[]) id = Math.max(id, topic.id + 1);
      for (const store of this.list('store') as { readonly number: number }[]) id = Math.max(id, store.number + 1);
    }
    this.#nextId = id + 1;
    this.putJson(IDS, { ...ids, nextId: this.#nextId });
    return id;
  }

  partition(topicId: number, partition: number): PartitionState {
    const value = this.#get(partitionKey(topicId, partition), `partition ${partition} of topic id ${topicId}`);
    return value === undefined ? { start: 0, end: 0, bytes: 0, compactedTo: 0 } : decodePartition(value);
  }

  putPartition(topicId: number, partition: number, state: PartitionState): void {
    this.#put(partitionKey(topicId, partition), encodePartition(state));
  }

  removePartition(topicId: number, partition: number): void {
    this.#db.meta.removeSync(partitionKey(topicId, partition));
  }

  committed(groupId: string, { topic, partition }: TopicPartition): CommittedOffset | undefined {
    return this.getJson(metaKey('group', groupId, topic, String(partition))) as CommittedOffset | undefined;
  }

  putCommitted(groupId: string, offset: CommittedOffset): void {
    const { topic, partition, metadata } = offset;
    const entry = { topic, partition, offset: offset.offset, ...(metadata === undefined ? {} : { metadata }) };
    this.putJson(metaKey('group', groupId, topic, String(partition)), entry);
  }

  /** Groups that have committed offsets or that a process has run. */
  groupIds(): ReadonlySet<string> {
    const keys = [...this.#entries('group'), ...this.#entries('owner')];
    return new Set(keys.map(({ key }) => decoder.decode(key).split('\0')[1] ?? ''));
  }

  /** All committed offsets of a group. */
  allCommitted(groupId: string): readonly CommittedOffset[] {
    return this.list('group', groupId) as CommittedOffset[];
  }

  /** The lowest committed offset of any group for each partition, by `topic/partition`. */
  lowestCommitted(): ReadonlyMap<string, number> {
    const lowest = new Map<string, number>();
    for (const { offset, partition, topic } of this.list('group') as CommittedOffset[]) {
      const place = `${topic}/${partition}`;
      lowest.set(place, Math.min(offset, lowest.get(place) ?? offset));
    }
    return lowest;
  }

  /** Removes the offsets that all groups have committed for a deleted topic, but remembers that there were some. */
  removeCommitted({ id, name }: StoredTopic): void {
    const groups = new Set<string>();
    for (const { key, value } of this.#entries('group')) {
      if ((JSON.parse(decoder.decode(value)) as CommittedOffset).topic !== name) continue;
      this.#db.meta.removeSync(key);
      groups.add(decoder.decode(key).split('\0')[1] ?? '');
    }
    for (const group of groups) this.putJson(metaKey('gone', group, name), { id } satisfies GoneTopic);
    this.#boundGone();
  }

  /** Removes the committed offsets of a group. Its owners are remembered, so that epochs only grow. */
  removeGroup(groupId: string): void {
    for (const kind of ['group', 'gone'] as const) {
      for (const { key } of this.#entries(kind, groupId)) this.#db.meta.removeSync(key);
    }
  }

  /** The deleted topic of this name for which a group had committed offsets. */
  goneTopic(groupId: string, name: string): number | undefined {
    return (this.getJson(metaKey('gone', groupId, name)) as GoneTopic | undefined)?.id;
  }

  #boundGone(): void {
    const gone = this.#entries('gone');
    if (gone.length <= MAX_GONE_TOPICS) return;
    const idOf = (value: Uint8Array): number => (JSON.parse(decoder.decode(value)) as GoneTopic).id;
    gone.sort((left, right) => idOf(left.value) - idOf(right.value));
    for (const { key } of gone.slice(0, gone.length - MAX_GONE_TOPICS)) this.#db.meta.removeSync(key);
  }

  /** Reads what `putJson` stored. The caller knows its type, and the checksum guarantees that it is unchanged. */
  getJson(key: Uint8Array): unknown {
    const value = this.#get(key, decoder.decode(key).replaceAll('\0', ' '));
    return value && JSON.parse(decoder.decode(value));
  }

  putJson(key: Uint8Array, value: unknown): void {
    this.#put(key, encoder.encode(JSON.stringify(value)));
  }

  remove(key: Uint8Array): void {
    this.#db.meta.removeSync(key);
  }

  /** All values of a kind whose keys start with these parts, in key order. */
  list(kind: 'topic' | 'group' | 'gone' | 'owner' | 'store', ...parts: readonly string[]): unknown[] {
    return this.#entries(kind, ...parts).map(({ value }) => JSON.parse(decoder.decode(value)) as unknown);
  }

  #entries(
    kind: 'topic' | 'group' | 'gone' | 'owner' | 'store',
    ...parts: readonly string[]
  ): { readonly key: Uint8Array; readonly value: Uint8Array }[] {
    const start = metaKey(kind, ...parts, '');
    const end = afterPrefix(start);
    const entries: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
    for (const { key, value } of this.#db.meta.getRange({ start, ...(end === undefined ? {} : { end }) })) {
      entries.push({ key, value: unseal(key, value, `an entry of kind ${kind}`) });
    }
    return entries;
  }

  #ids(): Ids {
    return (this.getJson(IDS) as Ids | undefined) ?? { nextId: 1, topicsVersion: 0 };
  }

  #touchTopics(): void {
    const ids = this.#ids();
    this.putJson(IDS, { ...ids, topicsVersion: this.#machine.number() });
  }

  #get(key: Uint8Array, what: string): Uint8Array | undefined {
    const sealed = this.#db.meta.getBinary(key);
    return sealed && unseal(key, sealed, what);
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#db.meta.putSync(key, seal(key, value));
  }
}
