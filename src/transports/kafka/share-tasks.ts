import { assignTasks } from '../local/assign-tasks.ts';
import type { MemberInfo } from './group-protocol.ts';

/** A member as the leader sees it. */
export interface Candidate extends MemberInfo {
  readonly memberId: string;
}

/**
 * What each member may have in the coming generation. A task that is to move is given to nobody as long as its owner has
 * it: the owner sees that it is to give it up, does so, and joins anew, and then the task goes to its next owner.
 */
export function shareTasks(candidates: readonly Candidate[]): Map<string, readonly string[]> {
  const owners = ownersOf(candidates);
  const members = candidates.map(({ memberId, known }) => ({
    memberId,
    known: new Set(known),
    tasks: new Set([...owners].filter(([, owner]) => owner === memberId).map(([task]) => task)),
  }));
  // In one order whatever the coordinator's, so that the same members always get the same.
  members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, readonly string[]>();
  for (const [{ memberId }, tasks] of assignTasks(members)) {
    const free = [...tasks].filter((task) => (owners.get(task) ?? memberId) === memberId);
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
function ownersOf(candidates: readonly Candidate[]): Map<string, string> {
  const owners = new Map<string, string>();
  const generations = new Map<string, number>();
  for (const { memberId, owned, known, generation } of candidates) {
    for (const task of owned) {
      if (!known.includes(task) || (generations.get(task) ?? -1) >= generation) continue;
      owners.set(task, memberId);
      generations.set(task, generation);
    }
  }
  return owners;
}
