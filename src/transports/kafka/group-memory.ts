/**
 * What a process remembers of a group from one session to the next. Of two members one may be gone while the other one starts over:
 * nobody else could tell who was there.
 */
export interface GroupMemory {
  /** Transactional ids of the members of the last generation. */
  transactionalIds: readonly string[];
  /** The epoch of the last generation that it was in; see `protocol/epoch.ts`. */
  epoch: number | undefined;
}

export class GroupMemories {
  readonly #groups = new Map<string, GroupMemory>();

  of(groupId: string): GroupMemory {
    let memory = this.#groups.get(groupId);
    if (memory === undefined) this.#groups.set(groupId, (memory = { transactionalIds: [], epoch: undefined }));
    return memory;
  }
}
