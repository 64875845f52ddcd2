import type { CommitUnit } from '../../log/transport.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import { BatchSender } from './batch-sender.ts';
import type { Cluster } from './cluster.ts';
import { commitAsMember } from './commit-as-member.ts';
import type { BatchEncoder, EncodedBatch } from './encode-batches.ts';
import { staleWork } from './errors.ts';
import type { GroupMember } from './group-member.ts';
import { idempotentIds } from './producer.ts';
import type { SessionWriter } from './session.ts';
import type { Topics } from './topics.ts';
import { offsetCommitApi } from './wire/offset-commit.ts';
import { writeOwned } from './write-owned.ts';

/** Commits offsets after all outputs were acknowledged. A crash in between repeats those outputs. */
export class AtLeastOnceWriter implements SessionWriter {
  readonly #cluster: Cluster;
  readonly #member: GroupMember;
  readonly #stores: StoreBackend;
  readonly #topics: Topics;
  readonly #encoder: BatchEncoder;
  #sender: BatchSender | undefined;
  /** The first generation of the membership that the sender is for. */
  #since = -1;
  #outputs: { readonly generation: number; readonly written: Promise<unknown> }[] = [];
  /** Settles when the previous call has queued its batches. */
  #handed: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(cluster: Cluster, topics: Topics, member: GroupMember, stores: StoreBackend, encoder: BatchEncoder) {
    this.#encoder = encoder;
    this.#cluster = cluster;
    this.#member = member;
    this.#stores = stores;
    this.#topics = topics;
  }

  async begin(): Promise<void> {
    // Nothing can have been left open.
  }

  async send(batches: readonly EncodedBatch[], generation: number): Promise<void> {
    const handed = this.#handed.then(() => this.#hand(batches, generation));
    this.#handed = handed.catch(() => undefined);
    // Synchronously, so that a commit that is called now waits for them.
    const written = handed.then(({ all }) => all);
    written.catch(() => undefined);
    this.#outputs.push({ generation, written });
    await handed;
    // Wait, so that outputs that arrive meanwhile share a request; with one request per record they would queue. The
    // commit, which waits for the same outputs, reports failures.
    await written.catch(() => undefined);
  }

  async #hand(batches: readonly EncodedBatch[], generation: number): Promise<{ readonly all: Promise<unknown> }> {
    const sender = this.#senderOf(generation);
    const write = (batch: EncodedBatch): Promise<void> =>
      writeOwned(
        batch,
        this.#encoder,
        (each) => sender.append(each),
        (more) => Promise.all(more.map(write)),
      );
    const all = Promise.all(batches.map(write));
    all.catch(() => undefined);
    return { all };
  }

  async commit(unit: CommitUnit): Promise<void> {
    this.#member.check(unit.generation);
    const { heldSince } = this.#member;
    // Outputs that were refused because the member had been expelled do not matter afterwards.
    const outputs = this.#outputs.filter(({ generation }) => generation >= heldSince).map(({ written }) => written);
    this.#outputs = [];
    const commit = this.#after(this.#last, outputs, unit);
    this.#last = commit;
    await commit;
  }

  waitingFor(): string | undefined {
    return this.#sender?.waitingFor();
  }

  async close(): Promise<void> {
    // Another member redoes work that is not committed by now.
    this.#sender?.close();
    await Promise.allSettled([this.#last, ...this.#outputs.map(({ written }) => written)]);
  }

  /**
   * A sender belongs to one continuous membership: when that ends, nothing more of it is written, not even retries of
   * batches in flight.
   *
   * @throws MillraceError `ERR_STALE_GENERATION` for work of an earlier membership
   */
  #senderOf(generation: number): BatchSender {
    const { heldSince } = this.#member;
    this.#member.checkHeld(generation);
    if (this.#since !== heldSince) {
      this.#sender?.close(staleWork(this.#member.identity.groupId, this.#since, 'is over'));
      this.#since = heldSince;
      this.#sender = new BatchSender(this.#cluster, this.#topics, {
        identify: idempotentIds(this.#cluster),
        // A failure fails the commit, and everything since the previous commit is written again. The order is only
        // preserved if nothing after the failed batch is already in the log.
        endsWithFailure: true,
        admission: {
          open: () => this.#member.mayWrite(heldSince),
          ask: () => this.#member.confirm(heldSince),
        },
      });
    }
    return this.#sender as BatchSender;
  }

  /**
   * A commit that was called before an earlier one failed fails too: its offsets are after records that were not
   * written.
   */
  async #after(last: Promise<unknown>, outputs: readonly Promise<unknown>[], unit: CommitUnit): Promise<void> {
    try {
      await last;
      await Promise.all(outputs);
      this.#member.check(unit.generation);
      // State before offsets: after a crash in between, repeated work can be recognised, lost work cannot.
      if (unit.state.length > 0) this.#stores.apply(unit.state);
      if (unit.offsets.length > 0) await this.#commitOffsets(unit);
    } catch (error) {
      // Calls from now on know of the failure.
      queueMicrotask(() => {
        this.#last = Promise.resolve();
      });
      throw error;
    }
  }

  async #commitOffsets({ generation, offsets: positions }: CommitUnit): Promise<void> {
    const cluster = this.#cluster;
    await commitAsMember(cluster, this.#topics, this.#member, generation, positions, (offsets, identity, coordinator) =>
      cluster.request(coordinator, 'main', offsetCommitApi, { ...identity, offsets }),
    );
  }
}
