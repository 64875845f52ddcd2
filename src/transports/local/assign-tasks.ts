/** What the assignment needs to know about a member. */
export interface Assignable {
  /** Ids of the tasks that the member can run. */
  readonly known: ReadonlySet<string>;
  /** Ids of the tasks that it is running. */
  readonly tasks: ReadonlySet<string>;
}

/**
 * Distributes tasks evenly: no member gets two more than another one that could run one of them. It is sticky: a task
 * stays where it is unless that would be uneven. It is deterministic.
 */
export function assignTasks<M extends Assignable>(members: readonly M[]): Map<M, Set<string>> {
  const shares = new Map<M, Set<string>>(members.map((member) => [member, new Set<string>()]));
  const share = (member: M): Set<string> => shares.get(member) ?? new Set<string>();
  const ids = [...new Set(members.flatMap((member) => [...member.known]))].sort();
  const unowned: string[] = [];
  for (const id of ids) {
    const owner = members.find((member) => member.tasks.has(id) && member.known.has(id));
    if (owner === undefined) unowned.push(id);
    else share(owner).add(id);
  }
  const leastLoaded = (id: string): M | undefined => {
    let best: M | undefined;
    for (const member of members) {
      if (member.known.has(id) && (best === undefined || share(member).size < share(best).size)) best = member;
    }
    return best;
  };
  for (const id of unowned) {
    const member = leastLoaded(id);
    if (member !== undefined) share(member).add(id);
  }
  for (let moved = true; moved; ) {
    moved = false;
    for (const member of [...members].sort((a, b) => share(b).size - share(a).size)) {
      // Last ids first, so that a member keeps the front of its list.
      for (const id of [...share(member)].sort().reverse()) {
        const other = leastLoaded(id);
        if (other === undefined || share(other).size + 1 >= share(member).size) continue;
        share(member).delete(id);
        share(other).add(id);
        moved = true;
      }
    }
  }
  return shares;
}
