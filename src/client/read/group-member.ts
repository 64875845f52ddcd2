import { MillraceError } from '../../errors.ts';
import type { CommittedOffset, GroupSession, TaskSession, TopicPartition, Transport } from '../../log/transport.ts';
import { partitionId } from './partition-finder.ts';
import type { ReadInput } from './read-input.ts';

/** The subscription, as a member of a group sees it. */
export interface MemberHost {
  /** The partitions being read. */
  readonly inputs: () => readonly ReadInput[];
  /** Start of a partition for which the group has no committed offset; `undefined` if it is no longer read. */
  readonly start: (partition: TopicPartition) => Pick<CommittedOffset, 'offset' | 'topicId'> | undefined;
  /** Partitions to read from now on, each from its committed offset if it has one. */
  readonly assigned: (partitions: readonly TopicPartition[], committed: ReadonlyMap<string, CommittedOffset>) => void;
  /** Partitions to stop reading immediately. @returns their inputs. */
  readonly revoked: (partitions: readonly TopicPartition[]) => readonly ReadInput[];
  /** There may be new records to read. */
  readonly ready: () => void;
  readonly failed: (error: MillraceError) => void;
  readonly warn: (error: unknown, message: string) => void;
}

/** Membership of one subscription in its group, and its commits. */
export class GroupMember {
  readonly #transport: Transport;
  readonly #groupId: string;
  readonly #partitions: ReadonlyMap<string, TopicPartition>;
  readonly #explicit: boolean;
  readonly #host: MemberHost;
  /** Offsets that the program has committed explicitly. */
  readonly #marks = new WeakMap<ReadInput, number>();
  #session: Promise<GroupSession> | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Whether the group has assigned partitions to this member. */
  assigned = false;

  /**
   * @param explicit - Whether the program commits, with `mark`; otherwise processed records are committed
   * automatically.
   */
  constructor(
    transport: Transport,
    groupId: string,
    partitions: readonly TopicPartition[],
    explicit: boolean,
    host: MemberHost,
  ) {
    this.#transport = transport;
    this.#groupId = groupId;
    this.#partitions = new Map(partitions.map((each) => [partitionId(each), each]));
    this.#explicit = explicit;
    this.#host = host;
  }

  async join(): Promise<void> {
    this.#session = this.#transport.group({
      groupId: this.#groupId,
      tasks: [...this.#partitions].map(([id, { partition, topic }]) => ({ id, partitions: [{ topic, partition }] })),
      exclusive: false,
      onAssigned: (ids, generation, session) => this.#assign(ids, generation, session),
      onRevoked: (ids, lost) => this.#revoke(ids, lost),
      onError: (error) => this.#host.failed(error),
    });
    await this.#session;
  }

  /**
   * Commits pending offsets. Concurrent calls share one commit; only one runs at a time.
   *
   * @throws MillraceError as `GroupSession.commit`
   */
  commit(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const commit = this.#commit(this.#host.inputs());
      this.#running = commit.catch(() => undefined);
      return commit;
    });
    return this.#next;
  }

  /** Explicit commit of a partition up to an offset. @throws MillraceError `ERR_STALE_GENERATION` */
  async mark(input: ReadInput, offset: number): Promise<void> {
    if (!input.owned) throw notOwned(this.#groupId, input);
    if (offset > (this.#marks.get(input) ?? 0)) this.#marks.set(input, offset);
    await this.commit();
    if (input.committed < offset) throw notOwned(this.#groupId, input);
  }

  /** Like `mark`, after leaving: possible while no member reads for the group. */
  markLate(input: ReadInput, offset: number): Promise<void> {
    const commit = this.#running.then(() => this.#setCommitted(input, offset));
    this.#running = commit.catch(() => undefined);
    return commit;
  }

  async #setCommitted(input: ReadInput, offset: number): Promise<void> {
    if (offset <= input.committed) return;
    const { leaderEpoch, partition, topic, topicId } = input;
    const [now] = await this.#transport.committed(this.#groupId, [{ topic, partition }]);
    if (now === undefined || now.offset < offset) {
      try {
        if (!input.owned) throw notOwned(this.#groupId, input);
        await this.#transport.setCommitted(this.#groupId, [{ topic, partition, offset, topicId, leaderEpoch }]);
      } catch (error) {
        const active = error instanceof MillraceError && error.code === 'ERR_GROUP_ACTIVE';
        throw active ? notOwned(this.#groupId, input) : error;
      }
    }
    input.committed = Math.max(offset, now?.offset ?? -1);
  }

  /** Commits a last time, unless commits are explicit, and gives the partitions back. */
  async leave(): Promise<void> {
    try {
      await (this.#explicit ? this.#next : this.commit());
    } catch (error) {
      this.#host.warn(error, 'the last commit failed; its records are read again');
    }
    await this.#running;
    const session = await this.#session?.catch(() => undefined);
    await session?.leave();
  }

  async #assign(ids: readonly string[], generation: number, session: TaskSession): Promise<void> {
    const partitions = this.#named(ids);
    const committed = new Map<string, CommittedOffset>();
    for (const each of await this.#transport.committed(this.#groupId, partitions)) {
      // Offsets committed for a deleted topic do not apply to the topic that has its name now.
      if (each.topicId === undefined) committed.set(partitionId(each), each);
    }
    // The start of a partition is committed before it is read: otherwise, with 'latest', records that arrive while
    // nobody reads would be skipped. This also applies to explicit commits before the first one.
    const fresh = partitions.filter((each) => !committed.has(partitionId(each)));
    const offsets = fresh.flatMap((each): CommittedOffset[] => {
      const start = this.#host.start(each);
      return start === undefined ? [] : [{ ...each, ...start }];
    });
    if (offsets.length > 0) {
      await this.#commitStart(session, offsets, generation);
      for (const each of offsets) committed.set(partitionId(each), each);
    }
    this.#host.assigned(partitions, committed);
    this.assigned = true;
    this.#host.ready();
  }

  async #commitStart(session: TaskSession, offsets: readonly CommittedOffset[], generation: number): Promise<void> {
    try {
      await session.commit({ generation, offsets, state: [] });
    } catch (error) {
      // The partitions have moved to another member meanwhile, which finds no committed offset and does the same.
      if (!(error instanceof MillraceError) || error.errorClass !== 'migrated') throw error;
    }
  }

  async #revoke(ids: readonly string[], lost: boolean): Promise<void> {
    const inputs = this.#host.revoked(this.#named(ids));
    await this.#running;
    try {
      if (!lost) await this.#commit(inputs);
    } catch (error) {
      this.#host.warn(
        error,
        'the last commit before partitions moved to another member failed; that member reads the records again',
      );
    }
    for (const input of inputs) input.owned = false;
  }

  #named(ids: readonly string[]): TopicPartition[] {
    return ids.map((id) => this.#partitions.get(id)).filter((each) => each !== undefined);
  }

  async #commit(inputs: readonly ReadInput[]): Promise<void> {
    const due: { readonly input: ReadInput; readonly offset: number }[] = [];
    for (const input of inputs) {
      const offset = this.#explicit ? (this.#marks.get(input) ?? -1) : input.processed;
      if (input.owned && offset > input.committed) due.push({ input, offset });
    }
    if (due.length === 0) return;
    const session = (await this.#session) as GroupSession;
    const offsets = due.map(({ input, offset }): CommittedOffset => {
      const { leaderEpoch, partition, topic, topicId } = input;
      return { topic, partition, offset, topicId, leaderEpoch };
    });
    await session.commit({ generation: session.generation, offsets, state: [] });
    for (const { input, offset } of due) input.committed = offset;
  }
}

/** The error for committing a record of a partition that another member owns by now. */
function notOwned(groupId: string, input: ReadInput): MillraceError {
  return new MillraceError(
    'migrated',
    'ERR_STALE_GENERATION',
    `group ${groupId} gave the partition to another member`,
    {
      topic: input.topic,
      partition: input.partition,
      written: 'no',
      hint: 'that member reads the record again: drop it, and commit before the subscription ends',
    },
  );
}
