import { MillraceError } from '../../errors.ts';
import type { GroupOptions } from '../../log/transport.ts';
import { assignTasks } from './assign-tasks.ts';
import { applicationRunning, staleGeneration } from './errors.ts';

/** A member's seat in a group. */
export interface GroupSeat {
  /** The generation that the member has been told of, 0 before the first. */
  readonly generation: number;
  /** Whether the tasks of this group are being moved between members. */
  readonly rebalancing: boolean;
  /** @throws MillraceError `ERR_STALE_GENERATION` when work of that generation may belong to another member now. */
  check(generation: number): void;
  /** Makes the group wait for a commit before it gives tasks to somebody else. */
  track(commit: Promise<unknown>): void;
  /** Gives up the seat at once; the others share its tasks as soon as its commits have settled. */
  leave(): void;
}

interface Member {
  readonly options: GroupOptions;
  readonly known: ReadonlySet<string>;
  tasks: ReadonlySet<string>;
  generation: number;
  /** The oldest generation whose work is still this member's: raised whenever it loses a task. */
  validSince: number;
  alive: boolean;
  /** Set when the member lost its tasks without being asked: what it held is reported with `lost`. */
  lost: ReadonlySet<string>;
}

interface Group {
  readonly members: Set<Member>;
  readonly commits: Set<Promise<unknown>>;
  generation: number;
  running: boolean;
  again: boolean;
}

/**
 * Shares the tasks of groups among members in one process: evenly, moving as few as possible. A task goes to its next
 * owner after the `onRevoked` of the previous one has settled, and after the commits of the group have.
 */
export class LocalGroups {
  readonly #groups = new Map<string, Group>();

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

  /** Takes a seat; tasks come through `onAssigned` after the caller has gone on. @throws `ERR_APPLICATION_RUNNING` */
  join(options: GroupOptions): GroupSeat {
    const group = this.#group(options.groupId);
    for (const other of group.members) {
      if (options.exclusive !== true && other.options.exclusive !== true) continue;
      throw applicationRunning(options.groupId, 'in this process', 'stop it first, or choose another applicationId');
    }
    const member: Member = {
      options,
      known: new Set(options.tasks.map((task) => task.id)),
      tasks: new Set(),
      generation: 0,
      validSince: Number.POSITIVE_INFINITY,
      alive: true,
      lost: new Set(),
    };
    group.members.add(member);
    void this.#rebalance(group);
    return this.#seat(group, member);
  }

  /**
   * Takes all tasks from all members without asking, as a broker does with members that it thinks dead: work in progress
   * can no longer be committed. They are told with `lost`, and then share the tasks again.
   */
  expel(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    for (const member of group.members) {
      member.lost = new Set([...member.lost, ...member.tasks]);
      member.tasks = new Set();
      member.validSince = Number.POSITIVE_INFINITY;
    }
    void this.#rebalance(group);
  }

  #group(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = { members: new Set(), commits: new Set(), generation: 0, running: false, again: false };
      this.#groups.set(groupId, group);
    }
    return group;
  }

  #seat(group: Group, member: Member): GroupSeat {
    const { groupId } = member.options;
    return {
      get generation() {
        return member.generation;
      },
      get rebalancing() {
        return group.running;
      },
      check: (generation) => {
        if (!member.alive) throw staleGeneration(groupId, generation, 'has ended, because the member left');
        if (generation >= member.validSince && generation <= member.generation) return;
        throw staleGeneration(groupId, generation, `is not current; the group is at ${group.generation}`);
      },
      track: (commit) => {
        const settled: Promise<unknown> = commit.catch(() => undefined).finally(() => group.commits.delete(settled));
        group.commits.add(settled);
      },
      leave: () => {
        if (!member.alive) return;
        this.#drop(group, member);
        void this.#rebalance(group);
      },
    };
  }

  #drop(group: Group, member: Member): void {
    member.alive = false;
    member.tasks = new Set();
    group.members.delete(member);
  }

  async #rebalance(group: Group): Promise<void> {
    group.again = true;
    if (group.running) return;
    group.running = true;
    try {
      // Lets the caller of `join` take its session before the first callback needs it.
      for (let tick = 0; tick < 8; tick++) await Promise.resolve();
      while (group.again) {
        group.again = false;
        await this.#round(group);
      }
    } finally {
      group.running = false;
    }
  }

  async #round(group: Group): Promise<void> {
    const members = [...group.members];
    await this.#tell(group, members, async (member) => {
      const lost = [...member.lost];
      member.lost = new Set();
      if (lost.length > 0) await member.options.onRevoked(lost, true);
    });
    const target = assignTasks(members.filter((member) => member.alive));
    await this.#tell(group, members, async (member) => {
      const revoked = [...member.tasks].filter((id) => target.get(member)?.has(id) !== true);
      if (revoked.length > 0) await member.options.onRevoked(revoked, false);
    });
    while (group.commits.size > 0) await Promise.all(group.commits);
    group.generation++;
    const assigned = new Map<Member, readonly string[]>();
    for (const member of members) {
      // Who left or was expelled while the others answered is dealt with in the next round.
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
    await this.#tell(group, [...assigned.keys()], (member) =>
      member.options.onAssigned(assigned.get(member) ?? [], group.generation),
    );
  }

  /** Calls back all living members at once. One that throws is out, and hears of it through `onError`. */
  async #tell(group: Group, members: readonly Member[], call: (member: Member) => Promise<void>): Promise<void> {
    await Promise.all(
      members.map(async (member) => {
        if (!member.alive) return;
        try {
          await call(member);
        } catch (error) {
          if (!member.alive) return;
          this.#drop(group, member);
          group.again = true;
          member.options.onError(sessionFailed(member.options.groupId, error));
        }
      }),
    );
  }
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
