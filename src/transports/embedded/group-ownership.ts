import type { EmbeddedLog } from './embedded-log.ts';

const WRITE_BYTES = 4096;
const held = new WeakMap<EmbeddedLog, Map<string, Promise<Held>>>();

interface Held {
  readonly epoch: number;
  users: number;
}

/** The right of this process to run a group on a folder, shared by its members in the process. */
export class GroupOwnership {
  readonly epoch: number;
  readonly #release: () => Promise<void>;

  private constructor(epoch: number, release: () => Promise<void>) {
    this.epoch = epoch;
    this.#release = release;
  }

  /** @throws StoreError `ERR_APPLICATION_RUNNING` when another process runs the group. */
  static async acquire(log: EmbeddedLog, groupId: string, takeOver: boolean): Promise<GroupOwnership> {
    let groups = held.get(log);
    if (groups === undefined) held.set(log, (groups = new Map()));
    const known = groups;
    let pending = known.get(groupId);
    if (pending === undefined) {
      pending = log.writer
        .write(WRITE_BYTES, () => log.owners.acquire(groupId, takeOver))
        .then((epoch) => ({ epoch, users: 0 }));
      known.set(groupId, pending);
    }
    const mine = pending;
    try {
      const holding = await mine;
      holding.users++;
      return new GroupOwnership(holding.epoch, async () => {
        holding.users--;
        if (holding.users > 0) return;
        if (known.get(groupId) === mine) known.delete(groupId);
        // If this cannot be written, the next owner notices that the process has ended.
        await log.writer.write(WRITE_BYTES, () => log.owners.release(groupId, holding.epoch)).catch(() => undefined);
      });
    } catch (error) {
      if (known.get(groupId) === mine) known.delete(groupId);
      throw error;
    }
  }

  release(): Promise<void> {
    return this.#release();
  }
}
