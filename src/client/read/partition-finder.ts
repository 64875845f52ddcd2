import type { TopicUse } from '../../dataflow/node.ts';
import { topicRecreated } from '../../log/known-topic.ts';
import type { TopicPartition, Transport } from '../../log/transport.ts';
import { ensureTopic } from '../publish/topic-writer.ts';
import { checkPartitions, endOffsets, startOffsets } from './positions.ts';
import type { ReadFrom } from './read-options.ts';
import type { ReadPlan } from './read-plan.ts';

/** A partition that a subscription reads. */
export interface FoundPartition extends TopicPartition {
  readonly use: TopicUse;
  /** Distinguishes the topic from earlier topics with the same name; `undefined` if the log does not provide it. */
  readonly topicId: string | undefined;
  /** Where reading begins; in a group, the committed offset takes precedence. */
  readonly start: number;
  /** Offset before which reading ends; infinity if it does not end. */
  readonly end: number;
}

/** `topic/partition`, unique because topic names contain no slash. */
export const partitionId = ({ partition, topic }: TopicPartition): string => `${topic}/${partition}`;

/**
 * Whether to read a topic that was deleted and recreated from its start. A subscription that named the topic fails
 * instead.
 */
export function goesOn({ outOfRange, pattern }: ReadPlan): boolean {
  return pattern !== undefined || outOfRange !== 'fail';
}

/** Finds the partitions that a subscription reads, at its start and afterwards. */
export class PartitionFinder {
  readonly #plan: ReadPlan;
  readonly #transport: Transport;
  readonly #known = new Map<string, FoundPartition>();
  /**
   * Where newly found partitions start. After the first look that is their first record, because all their records are
   * new.
   */
  #from: ReadFrom;
  #starting = true;

  constructor(plan: ReadPlan, transport: Transport) {
    this.#plan = plan;
    this.#transport = transport;
    this.#from = plan.from;
  }

  get all(): readonly FoundPartition[] {
    return [...this.#known.values()];
  }

  get(partition: TopicPartition): FoundPartition | undefined {
    return this.#known.get(partitionId(partition));
  }

  /** Drops a deleted partition, so that one with the same name is found as new. */
  forget(partition: TopicPartition): void {
    this.#known.delete(partitionId(partition));
  }

  /**
   * Looks for unknown partitions. Those of a recreated topic count as new.
   *
   * @throws FatalError `ERR_UNKNOWN_TOPIC`, `ERR_TOPIC_RECREATED`; ConfigError `ERR_UNKNOWN_PARTITION`,
   * `ERR_PARTITION_COUNT`.
   */
  async find(): Promise<readonly FoundPartition[]> {
    const found = await Promise.all((await this.#uses()).map((use) => this.#describe(use)));
    const fresh = found.flat();
    this.#starting = false;
    for (const each of fresh) this.#known.set(partitionId(each), each);
    this.#from = this.#later;
    return fresh;
  }

  /** Start of partitions that did not exist when reading began: all of their records are new. */
  get #later(): ReadFrom {
    const { from } = this.#plan;
    return typeof from === 'object' && 'time' in from ? from : 'earliest';
  }

  /**
   * Start of a topic's partitions for which a group has no committed offset. If the group has committed anything for
   * the topic, such a partition was added later, or the topic was recreated.
   */
  async #fromOf(topic: string, partitions: readonly number[]): Promise<ReadFrom> {
    const { group } = this.#plan;
    if (group === undefined || this.#from === this.#later) return this.#from;
    const places = partitions.map((partition) => ({ topic, partition }));
    // Offsets committed for other topics can be evidence for this one too.
    const others = this.#plan.topics
      .filter(({ name }) => name !== topic)
      .map((use) => ({ topic: use.name, partition: 0 }));
    const read = await this.#transport.committedTopics(group, [...places, ...others]);
    return read.has(topic) ? this.#later : this.#from;
  }

  async #uses(): Promise<readonly TopicUse[]> {
    const { pattern, topics } = this.#plan;
    if (pattern === undefined) return topics;
    const names = await this.#transport.topics.list();
    return names.filter((name) => pattern.test(name)).map((name) => ({ name, ...pattern.use }));
  }

  async #describe(use: TopicUse): Promise<FoundPartition[]> {
    const { partitions: wanted, until } = this.#plan;
    const description = await ensureTopic(this.#transport, use, this.#starting);
    const topic = use.name;
    const { id: topicId } = description;
    const partitions = checkPartitions(topic, wanted, description.partitions);
    const fresh = partitions.filter((partition) => {
      const known = this.#known.get(partitionId({ topic, partition }));
      if (known === undefined || known.topicId === topicId) return known === undefined;
      if (!goesOn(this.#plan)) throw topicRecreated({ topic, partition });
      return true;
    });
    if (fresh.length === 0) return [];
    const [starts, ends] = await Promise.all([
      this.#fromOf(topic, partitions).then((from) => startOffsets(this.#transport, from, topic, fresh)),
      endOffsets(this.#transport, until, topic, fresh),
    ]);
    return fresh.map((partition) => ({
      use,
      topic,
      topicId,
      partition,
      start: starts.get(partition) ?? 0,
      end: ends.get(partition) ?? Number.POSITIVE_INFINITY,
    }));
  }
}
