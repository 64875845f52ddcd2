import { assignTasks } from '../local/assign-tasks.ts';

/** A member as the leader sees it. */
export interface Candidate {
  readonly memberId: string;
  /** Ids of the tasks that it can run. */
  readonly known: readonly string[];
  /** Ids of the tasks that it has. */
  readonly owned: readonly string[];
  /** The generation in which it had them. */
  readonly generation: number;
  readonly transactionalId: string | null;
  /** Transactional ids of the members of that generation. */
  readonly transactionalIds: readonly string[];
}

/**
 * The tasks of each member in the next generation. A task that moves is assigned to nobody while its owner still has
 * it: the owner sees that it must release the task, does so and rejoins, and then the task goes to its next owner.
 */
export function shareTasks(candidates: readonly Candidate[]): Map<string, readonly string[]> {
  // Members usually share one task list.
  const sets = new Map(candidates.map(({ known }) => [known, new Set(known)]));
  const setOf = (known: readonly string[]): ReadonlySet<string> => sets.get(known) ?? new Set(known);
  const owners = ownersOf(candidates, setOf);
  const tasks = new Map(candidates.map(({ memberId }) => [memberId, new Set<string>()]));
  for (const [task, owner] of owners) tasks.get(owner)?.add(task);
  const members = candidates.map(({ memberId, known }) => ({
    memberId,
    known: setOf(known),
    tasks: tasks.get(memberId) ?? new Set<string>(),
  }));
  // Sorted, so that the same members always get the same tasks, whatever the coordinator's order.
  members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, readonly string[]>();
  for (const [{ memberId }, assigned] of assignTasks(members)) {
    const free = [...assigned].filter((task) => (owners.get(task) ?? memberId) === memberId);
    shares.set(memberId, free.sort());
  }
  return shares;
}

/** Transactional ids of departed members. Every member sends those that it knows, because the leader may be new. */
export function abandonedBy(candidates: readonly Candidate[]): string[] {
  const present = new Set(candidates.map(({ transactionalId }) => transactionalId));
  return [...new Set(candidates.flatMap(({ transactionalIds }) => transactionalIds))].filter((id) => !present.has(id));
}

/** The owners of tasks. If two members claim a task, the later generation wins. */
function ownersOf(
  candidates: readonly Candidate[],
  setOf: (known: readonly string[]) => ReadonlySet<string>,
): Map<string, string> {
  const owners = new Map<string, string>();
  const generations = new Map<string, number>();
  for (const { memberId, owned, known, generation } of candidates) {
    const knows = setOf(known);
    for (const task of owned) {
      if (!knows.has(task) || (generations.get(task) ?? -1) >= generation) continue;
      owners.set(task, memberId);
      generations.set(task, generation);
    }
  }
  return owners;
}
