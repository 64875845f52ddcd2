import type { OffsetQuery } from '../../log/transport.ts';
import { unknownPartition } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';
import { EARLIEST, LATEST, listOffsetsApi, type OffsetQuestion } from './wire/list-offsets.ts';

/** Offsets of partitions, by meaning and by time. */
export class Offsets {
  readonly #cluster: Cluster;
  readonly #topics: Topics;

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  /**
   * Offsets by query. The latest is the end of what can be read: it is before an open transaction, unless `committed`
   * is false.
   *
   * @throws `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION`
   */
  async find(
    topic: string,
    query: OffsetQuery,
    partitions?: readonly number[],
    committed: boolean = query !== 'written',
  ): Promise<ReadonlyMap<number, number>> {
    const doing = `find offsets of "${topic}"`;
    const { settings, signal } = this.#cluster;
    return retrying(this.#cluster.machine, { doing, limitMs: settings.requestTimeoutMs, signal }, async () => {
      const { leaders } = (await this.#topics.refresh(topic)) ?? (await this.#topics.get(topic));
      const wanted = partitions ?? leaders.map((_, partition) => partition);
      const missing = wanted.find((partition) => leaders[partition] === undefined);
      if (missing !== undefined) throw unknownPartition({ topic, partition: missing }, leaders.length);
      const time = timeOf(query);
      const found = await this.#list(
        wanted.map((partition) => ({ topic, partition, time })),
        committed,
      );
      const late = wanted.filter((partition) => found.get(partition) === -1);
      if (late.length > 0) {
        const ends = await this.#list(
          late.map((partition) => ({ topic, partition, time: LATEST })),
          committed,
        );
        for (const [partition, offset] of ends) found.set(partition, offset);
      }
      return new Map(wanted.map((partition) => [partition, found.get(partition) ?? 0]));
    });
  }

  async #list(questions: readonly OffsetQuestion[], committed: boolean): Promise<Map<number, number>> {
    const byLeader = new Map<number, OffsetQuestion[]>();
    for (const question of questions) {
      const leader = await this.#topics.leader(question.topic, question.partition);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), question]);
    }
    const answers = await Promise.all(
      [...byLeader].map(([leader, list]) =>
        this.#cluster.request(leader, 'main', listOffsetsApi, { committed, questions: list }),
      ),
    );
    const found = new Map<number, number>();
    for (const { topic, partition, errorCode, offset } of answers.flat()) {
      if (errorCode !== 0) {
        this.#topics.forget(topic);
        throw kafkaError(errorCode, 'find offsets', topic, { topic, partition });
      }
      found.set(partition, offset);
    }
    return found;
  }
}

function timeOf(query: OffsetQuery): number {
  if (query === 'earliest') return EARLIEST;
  if (typeof query === 'string') return LATEST;
  return query.time < 0 ? EARLIEST : query.time;
}
