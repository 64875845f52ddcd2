/**
 * What a process remembers about a group between sessions. If one of two members leaves while the other starts over,
 * nobody else knows who was there.
 */
export interface GroupMemory {
  /** Transactional ids of the members of the last generation. */
  transactionalIds: readonly string[];
  /** The epoch of its last generation; see `protocol/epoch.ts`. */
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
