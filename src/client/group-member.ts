import { MillraceError } from '../errors.ts';
import type { CommittedOffset, GroupSession, TaskSpec, TopicPartition, Transport } from '../runtime/transport.ts';
import type { ReadInput } from './read-input.ts';

/** What a member of a group tells the subscription. */
export interface MemberEvents {
  /** Partitions to read from now on, each from its committed offset where it has one. */
  readonly assigned: (partitions: readonly TopicPartition[], committed: ReadonlyMap<string, number>) => Promise<void>;
  /** Partitions to stop reading at once. @returns their inputs. */
  readonly revoked: (partitions: readonly TopicPartition[]) => readonly ReadInput[];
  readonly failed: (error: MillraceError) => void;
  /** A commit failed after which reading can go on. */
  readonly warn: (error: unknown, message: string) => void;
}

/** `topic/partition`, which no two partitions share: a topic's name holds no slash. */
export const partitionId = ({ partition, topic }: TopicPartition): string => `${topic}/${partition}`;

/** Membership of one subscription in its group, and its commits. */
export class GroupMember {
  readonly #transport: Transport;
  readonly #groupId: string;
  readonly #partitions: ReadonlyMap<string, TopicPartition>;
  readonly #inputs: () => readonly ReadInput[];
  /** Offset up to which an input may be committed. */
  readonly #target: (input: ReadInput) => number;
  readonly #events: MemberEvents;
  #session: GroupSession | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Whether the group has said what this member is to read. */
  assigned = false;

  constructor(
    transport: Transport,
    groupId: string,
    partitions: readonly TopicPartition[],
    inputs: () => readonly ReadInput[],
    target: (input: ReadInput) => number,
    events: MemberEvents,
  ) {
    this.#transport = transport;
    this.#groupId = groupId;
    this.#partitions = new Map(partitions.map((each) => [partitionId(each), each]));
    this.#inputs = inputs;
    this.#target = target;
    this.#events = events;
  }

  async join(): Promise<void> {
    const tasks: TaskSpec[] = [...this.#partitions].map(([id, partition]) => ({ id, partitions: [partition] }));
    this.#session = await this.#transport.group({
      groupId: this.#groupId,
      tasks,
      exclusive: false,
      onAssigned: (ids) => this.#assign(ids),
      onRevoked: (ids, lost) => this.#revoke(ids, lost),
      onError: (error) => this.#events.failed(error),
    });
  }

  waitingFor(): string | undefined {
    return this.#session?.waitingFor();
  }

  /** Commits what may be committed. Calls of the same moment share one commit; one runs at a time. */
  commit(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const commit = this.#commit(this.#inputs());
      this.#running = commit.catch(() => undefined);
      return commit;
    });
    return this.#next;
  }

  /** Gives the partitions back. */
  async leave(): Promise<void> {
    await this.#running;
    await this.#session?.leave();
  }

  async #assign(ids: readonly string[]): Promise<void> {
    const partitions = this.#named(ids);
    const committed = await this.#transport.committed(this.#groupId, partitions);
    await this.#events.assigned(partitions, new Map(committed.map((each) => [partitionId(each), each.offset])));
    this.assigned = true;
  }

  async #revoke(ids: readonly string[], lost: boolean): Promise<void> {
    const inputs = this.#events.revoked(this.#named(ids));
    await this.#running;
    try {
      if (!lost) await this.#commit(inputs);
    } catch (error) {
      this.#events.warn(error, 'the last commit before partitions went to another member failed; it reads them again');
    }
    for (const input of inputs) input.owned = false;
  }

  #named(ids: readonly string[]): TopicPartition[] {
    return ids.map((id) => this.#partitions.get(id)).filter((each) => each !== undefined);
  }

  async #commit(inputs: readonly ReadInput[]): Promise<void> {
    const due = inputs.filter((input) => input.owned && this.#target(input) > input.committed);
    if (due.length === 0) return;
    const session = this.#session;
    if (session === undefined) throw new MillraceError('retriable', 'ERR_NOT_JOINED', 'the group is not joined yet');
    const offsets = due.map((input): CommittedOffset => {
      return { topic: input.use.name, partition: input.partition, offset: this.#target(input) };
    });
    await session.commit({ generation: session.generation, offsets, state: [] });
    due.forEach((input, index) => {
      input.committed = (offsets[index] as CommittedOffset).offset;
    });
  }
}

/** The partition of a record that is to be committed belongs to somebody else by now. */
export function notOwned(groupId: string, input: ReadInput): MillraceError {
  return new MillraceError(
    'migrated',
    'ERR_STALE_GENERATION',
    `group ${groupId} gave the partition to another member`,
    {
      topic: input.use.name,
      partition: input.partition,
      written: 'no',
      hint: 'that member reads the record again: drop it, and commit before the subscription ends',
    },
  );
}
