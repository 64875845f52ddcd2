import { applicationRunning, staleGeneration } from '../local/errors.ts';
import type { Catalog } from './catalog.ts';
import { metaKey } from './keys.ts';
import { type EmbeddedMachine, thisMachine } from './machine.ts';
import { type ProcessIdentity, sameProcess } from './process-identity.ts';

/** The owner of an application. It is kept after the application has ended, so that epochs only grow. */
interface Owner extends ProcessIdentity {
  /** Grows with every owner; later writes of an older owner are refused. */
  readonly epoch: number;
  /** Identifies the log instance that acquired it, to distinguish two with the same epoch. */
  readonly token?: string;
  /** ISO time. */
  readonly since: string;
  readonly ended: boolean;
}

/**
 * Which process runs which application on a folder. All methods but `alive` run inside a write transaction, so that of
 * two processes that start at the same time, one sees the other.
 */
export class Owners {
  readonly #catalog: Catalog;
  readonly #machine: EmbeddedMachine;
  readonly #me: ProcessIdentity;
  readonly #token: string;

  constructor(catalog: Catalog, machine: EmbeddedMachine = thisMachine) {
    this.#catalog = catalog;
    this.#machine = machine;
    this.#me = machine.me();
    this.#token = machine.name();
  }

  /**
   * Makes this process the owner. @returns the epoch to write under.
   * @throws StoreError `ERR_APPLICATION_RUNNING` if the owner is alive and `takeOver` is false
   */
  acquire(groupId: string, takeOver: boolean): number {
    const key = metaKey('owner', groupId);
    const owner = this.#catalog.getJson(key) as Owner | undefined;
    if (owner !== undefined && !takeOver && this.#runs(owner)) throw running(groupId, owner);
    const epoch = (owner?.epoch ?? 0) + 1;
    const mine: Owner = {
      ...this.#me,
      epoch,
      token: this.#token,
      since: new Date(this.#machine.clock.now()).toISOString(),
      ended: false,
    };
    this.#catalog.putJson(key, mine);
    return epoch;
  }

  release(groupId: string, epoch: number): void {
    const key = metaKey('owner', groupId);
    const owner = this.#catalog.getJson(key) as Owner | undefined;
    if (owner !== undefined && this.#isMine(owner, epoch)) this.#catalog.putJson(key, { ...owner, ended: true });
  }

  /** @throws MillraceError `ERR_STALE_GENERATION` if another process has become the owner. */
  check(groupId: string, epoch: number): void {
    const owner = this.#catalog.getJson(metaKey('owner', groupId)) as Owner | undefined;
    if (this.#isMine(owner, epoch)) return;
    const by = owner === undefined ? '' : ` by process ${owner.pid}`;
    throw staleGeneration(groupId, epoch, `has ended: the application was taken over${by}`);
  }

  /** The pid of the living owner in another process, if there is one. */
  alive(groupId: string): number | undefined {
    const owner = this.#catalog.getJson(metaKey('owner', groupId)) as Owner | undefined;
    return owner !== undefined && !sameProcess(owner, this.#me) && this.#runs(owner) ? owner.pid : undefined;
  }

  #isMine(owner: Owner | undefined, epoch: number): boolean {
    return owner !== undefined && owner.epoch === epoch && owner.token === this.#token && !owner.ended;
  }

  #runs(owner: Owner): boolean {
    return !owner.ended && (sameProcess(owner, this.#me) || this.#machine.isAlive(owner));
  }
}

function running(groupId: string, { pid, since }: Owner): Error {
  return applicationRunning(
    groupId,
    `on this folder, in process ${pid} since ${since}`,
    `stop process ${pid} first, or choose another applicationId; if it hangs and cannot be stopped, ` +
      'take over with transport: embeddedTransport({ path, takeOver: true })',
  );
}
