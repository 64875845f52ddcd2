import type { TaskSpec } from '../../log/transport.ts';
import { bytesOf, digestOf, type MemberInfo, topicsOf } from './group-protocol.ts';
import { writeTasks } from './task-set.ts';
import { WireWriter } from './wire/writer.ts';

/** Lists of topics and of tasks up to this size are told by all members, larger ones by who has to. */
const SHORT_BYTES = 2048;

/** What a member says of itself when it joins. */
export class MemberCard {
  /** Which list of tasks it knows. */
  readonly digest: string;
  readonly #transactionalId: string | null;
  readonly #known: readonly string[];
  readonly #topics: readonly string[];
  readonly #topicsOf: ReadonlyMap<string, readonly string[]>;
  readonly #short: boolean;
  readonly #fewTopics: boolean;
  /** The leader has asked for the list. */
  tell = false;
  /** As the leader it tells the coordinator of all topics, so that the offsets of none are forgotten. */
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
   * @param owned - What it has, of which generation.
   * @param epoch - That of the generation it was in last, also when it was given up since.
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

  /** The same with everything in it, for a leader that knows no digests. */
  whole(info: MemberInfo): MemberInfo {
    return { ...info, known: this.#known, topics: this.#topics };
  }
}
