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
  /** Those of members of that generation. */
  readonly transactionalIds: readonly string[];
}

/**
 * What each member may have in the coming generation. A task that is to move is given to nobody as long as its owner has
 * it: the owner sees that it is to give it up, does so, and joins again, and then the task goes to its next owner.
 */
export function shareTasks(candidates: readonly Candidate[]): Map<string, readonly string[]> {
  // Members mostly know the same tasks, and then from one list.
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
  // In one order whatever the coordinator's, so that the same members always get the same.
  members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, readonly string[]>();
  for (const [{ memberId }, assigned] of assignTasks(members)) {
    const free = [...assigned].filter((task) => (owners.get(task) ?? memberId) === memberId);
    shares.set(memberId, free.sort());
  }
  return shares;
}

/**
 * Transactional ids of members that are gone. Every member tells those that it knows of, because the leader may be new
 * and know of none.
 */
export function abandonedBy(candidates: readonly Candidate[]): string[] {
  const present = new Set(candidates.map(({ transactionalId }) => transactionalId));
  return [...new Set(candidates.flatMap(({ transactionalIds }) => transactionalIds))].filter((id) => !present.has(id));
}

/** Who has which task. Of two that claim one, the later generation is right. */
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
