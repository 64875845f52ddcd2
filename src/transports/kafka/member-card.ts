import type { TaskSpec } from '../../log/transport.ts';
import { bytesOf, digestOf, type MemberInfo, topicsOf } from './group-protocol.ts';
import { writeTasks } from './task-set.ts';
import { WireWriter } from './wire/writer.ts';

/** All members send lists of topics and tasks up to this size; larger ones are only sent if needed. */
const SHORT_BYTES = 2048;

/** What a member sends about itself when it joins. */
export class MemberCard {
  /** The digest of its task list. */
  readonly digest: string;
  readonly #transactionalId: string | null;
  readonly #known: readonly string[];
  readonly #topics: readonly string[];
  readonly #topicsOf: ReadonlyMap<string, readonly string[]>;
  readonly #short: boolean;
  readonly #fewTopics: boolean;
  /** Whether the leader has asked for the list. */
  tell = false;
  /** Whether it lists all topics to the coordinator, as the leader, so that no offsets are forgotten. */
  listAll = false;

  constructor(tasks: readonly TaskSpec[], transactionalId: string | null) {
    this.#transactionalId = transactionalId;
    this.#known = tasks.map(({ id }) => id);
    this.digest = digestOf(this.#known);
    this.#topics = topicsOf(tasks);
    this.#topicsOf = new Map(tasks.map(({ id, partitions }) => [id, partitions.map(({ topic }) => topic)]));
    const list = new WireWriter();
    writeTasks(list, this.#known);
    this.#short = bytesOf(list).length <= SHORT_BYTES;
    this.#fewTopics = this.#topics.reduce((sum, topic) => sum + topic.length + 2, 0) <= SHORT_BYTES;
  }

  /**
   * @param owned - The tasks that it has from that generation.
   * @param epoch - The epoch of its last generation, even if it was expelled since.
   */
  info(owned: readonly string[], generation: number, transactionalIds: readonly string[], epoch?: number): MemberInfo {
    const whole = this.#fewTopics || this.listAll;
    return {
      digest: this.digest,
      known: this.#short || this.tell ? this.#known : undefined,
      owned,
      generation,
      transactionalId: this.#transactionalId,
      transactionalIds,
      epoch,
      topics: whole ? this.#topics : [...new Set(owned.flatMap((task) => this.#topicsOf.get(task) ?? []))].sort(),
    };
  }

  /** The same with complete lists, for a leader that does not know digests. */
  whole(info: MemberInfo): MemberInfo {
    return { ...info, known: this.#known, topics: this.#topics };
  }
}
