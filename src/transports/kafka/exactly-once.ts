import { MillraceError } from '../../errors.ts';
import type { CommitUnit } from '../../log/transport.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import type { Cluster } from './cluster.ts';
import type { BatchEncoder, EncodedBatch } from './encode-batches.ts';
import type { GroupMember } from './group-member.ts';
import { retrying } from './retry.ts';
import type { SessionWriter } from './session.ts';
import type { Topics } from './topics.ts';
import { TransactionalWriter } from './transactional-writer.ts';

/** Writes outputs and offsets of a commit in one transaction. */
export class ExactlyOnceWriter implements SessionWriter {
  readonly #cluster: Cluster;
  readonly #member: GroupMember;
  readonly #stores: StoreBackend;
  readonly #writer: TransactionalWriter;
  readonly #maxBufferedBytes: number;
  /** Whether the transactional id is reused after a restart. */
  readonly #named: boolean;
  #tail: Promise<unknown> = Promise.resolve();
  /** Counts failures: a call from before a failure must not take effect after it. */
  #era = 0;
  #closed = false;

  constructor(
    cluster: Cluster,
    topics: Topics,
    member: GroupMember,
    stores: StoreBackend,
    encoder: BatchEncoder,
    transactionalId: string,
  ) {
    this.#cluster = cluster;
    this.#member = member;
    this.#stores = stores;
    this.#writer = new TransactionalWriter(cluster, topics, encoder, transactionalId);
    this.#maxBufferedBytes = cluster.settings.maxBufferedBytes;
    this.#named = cluster.settings.instanceId !== null;
  }

  /**
   * Ends transactions that a process of the same name may have left open, which would block reads of committed offsets
   * and outputs.
   */
  async begin(): Promise<void> {
    if (this.#named) await this.#writer.init();
  }

  async send(batches: readonly EncodedBatch[], generation: number): Promise<void> {
    await this.#inTurn(async () => {
      await this.#confirm(generation);
      await this.#writer.append(batches);
    });
    await this.#writer.room(this.#maxBufferedBytes);
  }

  commit(unit: CommitUnit): Promise<void> {
    return this.#inTurn(async () => {
      this.#member.check(unit.generation);
      await this.#writer.commit(unit.offsets, this.#member, unit.generation);
      if (unit.state.length > 0) this.#stores.apply(unit.state);
    });
  }

  waitingFor(): string | undefined {
    return this.#writer.waitingFor();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#era++;
    this.#writer.giveUp();
    await this.#tail.catch(() => undefined);
    await this.#writer.close();
  }

  /** Checks after a silence whether the work still belongs to this member. */
  async #confirm(generation: number): Promise<void> {
    const { settings, signal } = this.#cluster;
    const options = { doing: 'hear from the group', limitMs: settings.requestTimeoutMs, signal };
    this.#member.checkHeld(generation);
    if (!this.#member.mayWrite(generation))
      await retrying(this.#cluster.machine, options, () => this.#member.confirm(generation));
  }

  /**
   * The reason of a failure. A fenced producer shows in many ways, so a member with a name checks whether another
   * process has taken it.
   */
  async #reason(error: unknown): Promise<unknown> {
    if (!this.#named || this.#closed) return error;
    return this.#member.ask().then(
      () => error,
      (reason: unknown) => reason,
    );
  }

  /** Runs work in order; a failure aborts the transaction, including everything that was called before. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const era = this.#era;
    const turn = this.#tail.then(async () => {
      if (era !== this.#era) throw aborted();
      try {
        await work();
      } catch (error) {
        this.#era++;
        const reason = await this.#reason(error);
        // Don't fence the process that has this name now: the two would keep fencing each other.
        if (reason instanceof MillraceError && reason.code === 'ERR_INSTANCE_FENCED') this.#writer.disown();
        else if (!this.#closed) await this.#writer.abort().catch(() => undefined);
        throw reason;
      }
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

const aborted = (): MillraceError =>
  new MillraceError('abortable', 'ERR_ABORTED', 'The transaction of this work was aborted by an earlier failure', {
    hint: 'continue from the committed offsets',
    written: 'no',
  });
