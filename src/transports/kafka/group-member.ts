import { pause } from '../../dataflow/clock.ts';
import { FatalError, MillraceError } from '../../errors.ts';
import type { GroupOptions } from '../../log/transport.ts';
import { closed } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { staleWork, tooLong, unknownYet } from './errors.ts';
import { type Granted, GroupCoordinator } from './group-coordinator.ts';
import type { GroupMemory } from './group-memory.ts';
import { Heart } from './heart.ts';
import { OffsetNotes } from './offset-metadata.ts';
import { pauseMs } from './retry.ts';
import type { GroupIdentity } from './wire/offset-commit.ts';

/** The callbacks of the owner of a session, which already has the session. */
export interface MemberOptions extends Omit<GroupOptions, 'onAssigned'> {
  readonly onAssigned: (tasks: readonly string[], generation: number) => Promise<void>;
}

/** How long leaving waits for commits in progress, in ms. */
const GRACE_MS = 3000;

/**
 * Membership of a group: joins, tells the owner of the session about assigned and revoked tasks, and rejoins whenever
 * the group changes. Tasks that stay are not interrupted.
 */
export class GroupMember {
  readonly #cluster: Cluster;
  readonly #options: MemberOptions;
  readonly #coordinator: GroupCoordinator;
  readonly #heart: Heart;
  readonly #commits = new Set<Promise<unknown>>();
  /** Why offsets have not been committed yet, while the commit is being retried. */
  commitTrouble: MillraceError | undefined;
  /** Metadata to commit with offsets. */
  readonly notes: OffsetNotes;
  /** The tasks that the owner knows about. */
  #tasks = new Set<string>();
  #generation = 0;
  #epoch = 0;
  #validSince = Number.POSITIVE_INFINITY;
  /** The first generation since the member was last expelled. */
  #heldSince = Number.POSITIVE_INFINITY;
  /** Why it was last expelled. */
  #loss = '';
  #left = false;
  /** Whether the coordinator has been told that it leaves. */
  #gone = false;
  #joining = false;
  /** The last rejoin, which may be over. */
  #rejoining: Promise<unknown> = Promise.resolve();
  /** Why the membership has ended. */
  #ended: MillraceError | undefined;
  #trouble: MillraceError | undefined;

  constructor(cluster: Cluster, options: MemberOptions, transactionalId: string | null, memory: GroupMemory) {
    this.#cluster = cluster;
    this.#options = options;
    const partitions = options.tasks.flatMap((task) => task.partitions);
    this.notes = new OffsetNotes(partitions.map(({ topic }) => topic));
    this.#coordinator = new GroupCoordinator(cluster, options, transactionalId, memory);
    this.#heart = new Heart(cluster, this.#coordinator);
  }

  /** The generation that the owner of the session knows. */
  get generation(): number {
    return this.#generation;
  }

  /** Identifies that generation. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The identity for commits now. */
  get identity(): GroupIdentity {
    return this.#coordinator.identity;
  }

  /** Whether the generation is about to change. */
  get inFlux(): boolean {
    return this.#joining;
  }

  /** Joins; tasks are assigned after the caller has continued. @throws MillraceError */
  async join(): Promise<void> {
    const { settings } = this.#cluster;
    const deadline = this.#cluster.machine.clock.monotonic() + settings.requestTimeoutMs + settings.rebalanceTimeoutMs;
    const granted = await this.#rejoin(deadline);
    this.#cluster.machine.clock.soon(() => void this.#run(granted));
  }

  /** @throws MillraceError `ERR_STALE_GENERATION` if work of that generation may belong to another member now */
  check(generation: number): void {
    if (this.#left) throw this.#stale(generation, 'has ended, because the member left');
    if (generation >= this.#validSince && generation <= this.#generation && !this.#heart.isLost) return;
    throw this.#stale(generation);
  }

  /** The first generation since the member joined or was last expelled. */
  get heldSince(): number {
    return this.#heldSince;
  }

  /** @throws MillraceError `ERR_STALE_GENERATION` if the member was expelled since that generation */
  checkHeld(generation: number): void {
    if (generation < this.#heldSince || this.#heart.isLost) throw this.#stale(generation);
  }

  /** Whether outputs of that generation may be written now without asking the coordinator. */
  mayWrite(generation: number): boolean {
    return generation >= this.#heldSince && !this.#gone && this.#heart.holds;
  }

  /**
   * Asks the coordinator, if necessary, whether outputs of that generation may be written.
   *
   * @throws MillraceError `ERR_STALE_GENERATION`; a retriable one while it is unknown
   */
  async confirm(generation: number): Promise<void> {
    if (this.mayWrite(generation)) return;
    if (!this.#gone && generation >= this.#heldSince) await this.#heart.ask();
    if (this.mayWrite(generation)) return;
    if (this.#gone || this.#heart.isLost || generation < this.#heldSince) throw this.#stale(generation);
    throw unknownYet(this.#options.groupId, this.#heart.trouble);
  }

  /** Asks the coordinator now. @throws MillraceError if another process has taken this one's name */
  async ask(): Promise<void> {
    // Joining answers this too.
    await this.#rejoining.catch(() => undefined);
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#left) await this.#heart.ask();
  }

  /** The coordinator has responded that this is no longer a member. */
  lost(): void {
    this.#heart.lost();
  }

  /** Makes the member wait for a commit before it releases tasks. */
  track(commit: Promise<unknown>): void {
    const settled: Promise<unknown> = commit.catch(() => undefined).finally(() => this.#commits.delete(settled));
    this.#commits.add(settled);
  }

  waitingFor(): string | undefined {
    const trouble = this.#trouble ?? this.#heart.trouble ?? this.commitTrouble;
    if (trouble !== undefined) return `the coordinator of group "${this.#options.groupId}": ${trouble.message}`;
    return this.#joining ? 'the tasks of the group are being reassigned' : undefined;
  }

  /** Leaves at once, without callbacks. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#heart.stop();
    // A commit in progress may finish, but only for a limited time, because the broker may be away.
    await Promise.race([Promise.all(this.#commits), pause(this.#cluster.machine.clock, GRACE_MS)]);
    this.#gone = true;
    await this.#coordinator.leave();
  }

  async #run(first: Granted): Promise<void> {
    let granted: Granted | undefined = first;
    try {
      while (!this.#left) {
        const again = granted !== undefined && (await this.#take(granted));
        if (!again && !this.#left && (await this.#heart.changed()) === 'lost') {
          const blocked = this.#blocked();
          await this.#lose();
          if (blocked !== undefined) throw blocked;
        }
        if (this.#left) return;
        granted = await this.#rejoin(Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      if (this.#left || this.#cluster.signal.aborted) return;
      // Set before leaving, which waits for commits: if they fail, they need the reason.
      this.#ended = sessionFailed(this.#options.groupId, error);
      await this.leave().catch(() => undefined);
      this.#options.onError(this.#ended);
    }
  }

  /** Revokes tasks, then assigns new ones. Returns whether others wait for the revoked tasks. */
  async #take({ epoch, generation, tasks }: Granted): Promise<boolean> {
    const revoked = [...this.#tasks].filter((task) => !tasks.has(task));
    if (revoked.length > 0) {
      await this.#options.onRevoked(revoked, false);
      for (const task of revoked) this.#tasks.delete(task);
      while (this.#commits.size > 0) await Promise.all(this.#commits);
    }
    if (this.#left) return false;
    if (revoked.length > 0 || this.#validSince > generation) this.#validSince = generation;
    if (this.#heldSince > generation) this.#heldSince = generation;
    this.#generation = generation;
    this.#epoch = epoch;
    // New tasks are assigned after the next join, for which others are waiting.
    const added = revoked.length > 0 ? [] : [...tasks].filter((task) => !this.#tasks.has(task));
    const assigning = this.#options.onAssigned(added, generation);
    for (const task of added) this.#tasks.add(task);
    await assigning;
    return revoked.length > 0;
  }

  /** All tasks are lost, possibly for a long time. */
  async #lose(): Promise<void> {
    this.#coordinator.forget();
    this.#validSince = Number.POSITIVE_INFINITY;
    this.#heldSince = Number.POSITIVE_INFINITY;
    this.#loss = this.#whyLost();
    const lost = [...this.#tasks];
    if (lost.length > 0) {
      const { groupId } = this.#options;
      this.#cluster.settings.logger.warn({ groupId, tasks: lost.length }, `Group "${groupId}": ${this.#loss}`);
    }
    this.#tasks = new Set();
    if (lost.length > 0) await this.#options.onRevoked(lost, true);
  }

  #whyLost(): string {
    const { silenceMs } = this.#heart;
    const { sessionTimeoutMs } = this.#cluster.settings;
    return this.#heart.isLost && silenceMs >= sessionTimeoutMs
      ? `the coordinator did not hear from this process for ${silenceMs} ms, and a session lasts ${sessionTimeoutMs} ms`
      : 'the coordinator no longer knows this member';
  }

  /** The failure if this thread was blocked longer than allowed. */
  #blocked(): MillraceError | undefined {
    const { blockedMs } = this.#heart;
    if (blockedMs === 0) return undefined;
    return tooLong(this.#options.groupId, blockedMs, this.#cluster.settings.maxPollIntervalMs);
  }

  #stale(generation: number, why?: string): MillraceError {
    const { groupId } = this.#options;
    const blocked = this.#blocked();
    if (blocked !== undefined) return blocked;
    if (why !== undefined) return staleWork(groupId, generation, why);
    if (this.#heart.isLost) return staleWork(groupId, generation, `is over: ${this.#whyLost()}`);
    if (generation < this.#heldSince && this.#loss !== '')
      return staleWork(groupId, generation, `is over: ${this.#loss}`);
    return staleWork(groupId, generation, `is not current; the group is at ${this.identity.generation}`);
  }

  #rejoin(deadline: number): Promise<Granted> {
    const rejoining = this.#rejoinOnce(deadline);
    this.#rejoining = rejoining;
    return rejoining;
  }

  async #rejoinOnce(deadline: number): Promise<Granted> {
    this.#joining = true;
    this.#heart.pause();
    try {
      for (let attempt = 0; ; attempt++) {
        if (this.#left || this.#cluster.signal.aborted) throw closed('session');
        try {
          const granted = await this.#coordinator.join();
          // Its heart would go on for a member that is about to leave.
          if (this.#left) throw closed('session');
          this.#trouble = undefined;
          this.#heart.beat(this.#coordinator.joinedAt);
          return granted;
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error;
          if (error.errorClass === 'migrated') await this.#lose();
          else if (!error.retriable || this.#cluster.machine.clock.monotonic() > deadline) throw error;
          else {
            this.#trouble = error;
            const { machine, signal } = this.#cluster;
            await pause(machine.clock, pauseMs(machine, attempt), signal);
          }
        }
      }
    } finally {
      this.#joining = false;
    }
  }
}

function sessionFailed(groupId: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new FatalError('ERR_SESSION_FAILED', `Group "${groupId}": a callback of the member threw: ${text}`, {
    cause: error,
  });
}
