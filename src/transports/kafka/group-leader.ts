import type { TaskSpec, TopicPartition } from '../../log/transport.ts';
import { type MemberInfo, type TaskAssignment, topicsOf } from './group-protocol.ts';
import { abandonedBy, type Candidate, shareTasks } from './share-tasks.ts';

export interface Shares {
  readonly assignments: ReadonlyMap<string, TaskAssignment>;
  /** The partitions of a member's tasks, for tools that describe groups. */
  readonly partitions: (tasks: readonly string[]) => readonly TopicPartition[];
  /** Transactional ids of members that are gone. */
  readonly abandoned: readonly string[];
  /** Whether members list all topics to the coordinator, so that it keeps their offsets. */
  readonly covered: boolean;
}

/** How many members remember the transactional ids of all members. */
const WITNESSES = 3;
/** Partitions are included for tools up to about this many bytes. */
const MAX_PARTITION_BYTES = 128 * 1024;

/** The work of a group leader. It remembers the task lists of members, which send them only once. */
export class GroupLeader {
  readonly #topics: readonly string[];
  readonly #places: ReadonlyMap<string, readonly TopicPartition[]>;
  readonly #lists = new Map<string, readonly string[]>();

  constructor(tasks: readonly TaskSpec[], digest: string) {
    this.#topics = topicsOf(tasks);
    this.#places = new Map(tasks.map(({ id, partitions }) => [id, partitions]));
    this.#lists.set(
      digest,
      tasks.map(({ id }) => id),
    );
  }

  /** Distributes the tasks among the members, by member id. */
  share(members: ReadonlyMap<string, MemberInfo>): Shares {
    for (const { digest, known } of members.values()) {
      if (known !== undefined && !this.#lists.has(digest)) this.#lists.set(digest, known);
    }
    const asked = new Set<string>();
    const tellers = new Set<string>();
    const candidates = [...members].map(([memberId, info]): Candidate => {
      const known = this.#lists.get(info.digest);
      if (known === undefined && !asked.has(info.digest)) {
        asked.add(info.digest);
        tellers.add(memberId);
      }
      // Until its task list is known, a member keeps what it has.
      return { ...info, memberId, known: known ?? info.owned };
    });
    const ids = candidates.map(({ transactionalId }) => transactionalId).filter((id) => id !== null);
    const witnesses = new Set([...members.keys()].sort().slice(0, WITNESSES));
    const shares = shareTasks(candidates);
    const assignments = new Map<string, TaskAssignment>();
    for (const [memberId, tasks] of shares) {
      const transactionalIds = witnesses.has(memberId) ? ids : [];
      assignments.set(memberId, { tasks, transactionalIds, tell: tellers.has(memberId) });
    }
    const said = new Set([...members.values()].flatMap(({ topics }) => topics));
    return {
      assignments,
      partitions: this.#describe([...shares.values()]),
      abandoned: abandonedBy(candidates),
      covered: this.#topics.every((topic) => said.has(topic)),
    };
  }

  #describe(shares: readonly (readonly string[])[]): (tasks: readonly string[]) => readonly TopicPartition[] {
    const partitions = (tasks: readonly string[]): TopicPartition[] =>
      tasks.flatMap((task) => this.#places.get(task) ?? []);
    let bytes = 0;
    for (const tasks of shares) {
      const places = partitions(tasks);
      bytes += 4 * places.length;
      for (const topic of new Set(places.map((place) => place.topic))) bytes += topic.length + 10;
    }
    return bytes > MAX_PARTITION_BYTES ? () => [] : partitions;
  }
}
