import { MillraceError } from '../../errors.ts';
import { type Awaitable, every, inSteps, quietly, type Steps, until } from '../../log/awaitable.ts';
import type { GroupOptions, TaskSession } from '../../log/transport.ts';
import { firstEpoch } from '../../protocol/epoch.ts';
import { assignTasks } from './assign-tasks.ts';
import { applicationRunning, staleGeneration } from './errors.ts';

/** A member's seat in a group. */
export interface GroupSeat {
  /** The generation that the member knows, 0 before the first. */
  readonly generation: number;
  /** Identifies that generation, also among those of other processes. */
  readonly epoch: number;
  /** Whether the group is rebalancing. */
  readonly rebalancing: boolean;
  /** @throws MillraceError `ERR_STALE_GENERATION` if work of that generation may belong to another member now. */
  check(generation: number): void;
  /** Makes the group wait for a commit before it assigns tasks to another member. */
  track(commit: Promise<unknown>): void;
  /** Gives up the seat at once; the other members get its tasks once its commits have settled. */
  leave(): void;
}

interface Member {
  readonly options: GroupOptions;
  readonly session: TaskSession;
  readonly known: ReadonlySet<string>;
  tasks: ReadonlySet<string>;
  generation: number;
  /** The oldest generation whose work is still this member's: raised whenever it loses a task. */
  validSince: number;
  alive: boolean;
  /** Tasks that the member has lost without being asked; they are reported with `lost`. */
  lost: ReadonlySet<string>;
  /** Set if the member must give up all its tasks, and may get them back. */
  givesUp: boolean;
}

interface Group {
  readonly members: Set<Member>;
  readonly commits: Set<Promise<unknown>>;
  /** The first epoch of this process: each process counts generations separately. */
  readonly firstEpoch: number;
  generation: number;
  running: boolean;
  again: boolean;
}

/**
 * Distributes the tasks of groups among members in one process: evenly, moving as few as possible. A task moves to its
 * next owner after the `onRevoked` of the previous one and the commits of the group have settled.
 */
export class LocalGroups {
  readonly #groups = new Map<string, Group>();
  readonly #random: () => number;

  /**
   * @param random - Source of the number at which this process starts to count generations, which should differ in each
   * process.
   */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  hasMembers(groupId: string): boolean {
    return (this.#groups.get(groupId)?.members.size ?? 0) > 0;
  }

  /** Ids of the groups that have members, ascending. */
  active(): readonly string[] {
    return [...this.#groups]
      .filter(([, group]) => group.members.size > 0)
      .map(([id]) => id)
      .sort();
  }

  /**
   * Joins a group. If there is nothing to wait for, tasks are assigned through `onAssigned` before this returns.
   *
   * @param open - Makes the session for the seat.
   * @throws `ERR_APPLICATION_RUNNING`
   */
  join<S extends TaskSession>(options: GroupOptions, open: (seat: GroupSeat) => S): S {
    const group = this.#group(options.groupId);
    for (const other of group.members) {
      if (options.exclusive !== true && other.options.exclusive !== true) continue;
      throw applicationRunning(options.groupId, 'in this process', 'stop it first, or choose another applicationId');
    }
    const seat = new Seat(options.groupId, group, () => this.#rebalance(group));
    const session = open(seat);
    const member: Member = {
      options,
      session,
      known: new Set(options.tasks.map((task) => task.id)),
      tasks: new Set(),
      generation: 0,
      validSince: Number.POSITIVE_INFINITY,
      alive: true,
      lost: new Set(),
      givesUp: false,
    };
    seat.member = member;
    group.members.add(member);
    this.#rebalance(group);
    return session;
  }

  /**
   * Takes all tasks from all members without asking, as a broker does with members that it presumes dead: work in
   * progress can no longer be committed. The members are told with `lost`, and then the tasks are distributed again.
   */
  expel(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    for (const member of group.members) {
      member.lost = new Set([...member.lost, ...member.tasks]);
      member.tasks = new Set();
      member.validSince = Number.POSITIVE_INFINITY;
    }
    this.#rebalance(group);
  }

  /** Revokes all tasks from all members regularly and distributes them again, as after a change of the members. */
  reassign(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    for (const member of group.members) member.givesUp = true;
    this.#rebalance(group);
  }

  #group(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      const begins = firstEpoch(0, this.#random);
      group = {
        members: new Set(),
        commits: new Set(),
        firstEpoch: begins,
        generation: 0,
        running: false,
        again: false,
      };
      this.#groups.set(groupId, group);
    }
    return group;
  }

  #rebalance(group: Group): void {
    group.again = true;
    if (group.running) return;
    group.running = true;
    void quietly(() => inSteps(this.#rounds(group)));
  }

  *#rounds(group: Group): Steps<void> {
    try {
      while (group.again) {
        group.again = false;
        yield* this.#round(group);
      }
    } finally {
      group.running = false;
    }
  }

  *#round(group: Group): Steps<void> {
    const members = [...group.members];
    yield* this.#tell(group, members, (member) => {
      const lost = [...member.lost];
      member.lost = new Set();
      return lost.length > 0 ? member.options.onRevoked(lost, true) : undefined;
    });
    const target = assignTasks(members.filter((member) => member.alive));
    yield* this.#tell(group, members, (member) => {
      const revoked = [...member.tasks].filter((id) => member.givesUp || target.get(member)?.has(id) !== true);
      return revoked.length > 0 ? member.options.onRevoked(revoked, false) : undefined;
    });
    for (const member of members) {
      if (!member.givesUp) continue;
      member.givesUp = false;
      member.tasks = new Set();
      member.validSince = Number.POSITIVE_INFINITY;
    }
    while (group.commits.size > 0) yield* until(Promise.all(group.commits));
    group.generation++;
    const assigned = new Map<Member, readonly string[]>();
    for (const member of members) {
      // A member that left or was expelled meanwhile is handled in the next round.
      if (!member.alive || member.lost.size > 0) continue;
      const tasks = target.get(member) ?? new Set<string>();
      assigned.set(
        member,
        [...tasks].filter((id) => !member.tasks.has(id)),
      );
      const keptAll = [...member.tasks].every((id) => tasks.has(id));
      if (!keptAll || member.validSince > group.generation) member.validSince = group.generation;
      member.tasks = tasks;
      member.generation = group.generation;
    }
    yield* this.#tell(group, [...assigned.keys()], (member) =>
      member.options.onAssigned(assigned.get(member) ?? [], group.generation, member.session),
    );
  }

  /** Calls back all living members at once. One that throws is expelled and told through `onError`. */
  *#tell(group: Group, members: readonly Member[], call: (member: Member) => Awaitable<void>): Steps<void> {
    function* one(member: Member): Steps<void> {
      try {
        yield* until(call(member));
      } catch (error) {
        if (!member.alive) return;
        drop(group, member);
        group.again = true;
        member.options.onError(sessionFailed(member.options.groupId, error));
      }
    }
    yield* until(every(members.filter(({ alive }) => alive).map((member) => inSteps(one(member)))));
  }
}

/** The seat of a member. */
class Seat implements GroupSeat {
  member: Member | undefined;
  readonly #groupId: string;
  readonly #group: Group;
  readonly #rebalance: () => void;

  constructor(groupId: string, group: Group, rebalance: () => void) {
    this.#groupId = groupId;
    this.#group = group;
    this.#rebalance = rebalance;
  }

  get generation(): number {
    return this.member?.generation ?? 0;
  }

  get epoch(): number {
    return (this.#group.firstEpoch + this.generation) >>> 0 || 1;
  }

  get rebalancing(): boolean {
    return this.#group.running;
  }

  check(generation: number): void {
    const { member } = this;
    if (member?.alive !== true) {
      throw staleGeneration(this.#groupId, generation, 'has ended, because the member left');
    }
    if (generation >= member.validSince && generation <= member.generation) return;
    throw staleGeneration(this.#groupId, generation, `is not current; the group is at ${this.#group.generation}`);
  }

  track(commit: Promise<unknown>): void {
    const { commits } = this.#group;
    const settled: Promise<unknown> = commit.catch(() => undefined).finally(() => commits.delete(settled));
    commits.add(settled);
  }

  leave(): void {
    const { member } = this;
    if (member?.alive !== true) return;
    drop(this.#group, member);
    this.#rebalance();
  }
}

function drop(group: Group, member: Member): void {
  member.alive = false;
  member.tasks = new Set();
  group.members.delete(member);
}

function sessionFailed(groupId: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new MillraceError(
    'fatal',
    'ERR_SESSION_FAILED',
    `Group "${groupId}": a callback of the member threw: ${text}`,
    {
      cause: error,
    },
  );
}
