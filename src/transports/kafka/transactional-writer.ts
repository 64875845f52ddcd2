import { pause } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { CommittedOffset } from '../../log/transport.ts';
import { closed } from '../local/errors.ts';
import { BatchSender } from './batch-sender.ts';
import type { Cluster } from './cluster.ts';
import { commitAsMember } from './commit-as-member.ts';
import type { BatchEncoder, EncodedBatch } from './encode-batches.ts';
import { Code } from './error-codes.ts';
import { kafkaCodeOf, kafkaError } from './errors.ts';
import type { GroupMember } from './group-member.ts';
import { newProducerId } from './producer-id.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';
import type { Api } from './wire/api.ts';
import * as wire from './wire/transactions.ts';
import { writeOwned } from './write-owned.ts';

/** How long closing waits for the broker to end an open transaction, in ms. */
const CLOSE_MS = 3000;

/** Writes in consecutive transactions. If an outcome is in doubt it starts over, which ends the open transaction. */
export class TransactionalWriter {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #encoder: BatchEncoder;
  readonly #transactionalId: string;
  #identity: wire.ProducerIdentity | undefined;
  #sender: BatchSender;
  /** Partitions of the open transaction. */
  readonly #partitions = new Set<string>();
  #open = false;
  /** Whether a request had no response, so that it may still arrive. */
  #doubtful = false;
  readonly #ending = new AbortController();
  #writes: Promise<unknown>[] = [];

  constructor(cluster: Cluster, topics: Topics, encoder: BatchEncoder, transactionalId: string) {
    this.#encoder = encoder;
    this.#cluster = cluster;
    this.#topics = topics;
    this.#transactionalId = transactionalId;
    this.#sender = this.#newSender();
  }

  /** Gets a producer id, which fences earlier producers with this name. Called before committed offsets are read. */
  async init(): Promise<void> {
    if (this.#identity !== undefined) return;
    this.#identity = await newProducerId(this.#cluster, this.#transactionalId, this.#ending.signal);
  }

  /** Adds batches to the open transaction. A failure to write them shows in `commit`. */
  async append(batches: readonly EncodedBatch[]): Promise<void> {
    await this.init();
    await this.#append(batches, this.#sender);
  }

  /** @param sender - The sender of the transaction that the batches belong to. */
  async #append(batches: readonly EncodedBatch[], sender: BatchSender): Promise<void> {
    if (sender !== this.#sender) throw closed('transaction');
    const added = batches.filter(({ topic, partition }) => !this.#partitions.has(`${topic}/${partition}`));
    if (added.length > 0) {
      this.#open = true;
      await this.#ask(
        'add partitions to a transaction',
        wire.addPartitionsToTxnApi,
        { partitions: unique(added) },
        (answers) => {
          // Of several refusals, report one that is not merely a consequence of another.
          const codes = answers.map(({ errorCode }) => errorCode).filter((code) => code !== 0);
          return codes.find((code) => code !== 55) ?? codes[0] ?? 0;
        },
      );
      for (const { topic, partition } of added) this.#partitions.add(`${topic}/${partition}`);
    }
    if (sender !== this.#sender) throw closed('transaction');
    const more = (instead: readonly EncodedBatch[]): Promise<void> => this.#append(instead, sender);
    for (const batch of batches) {
      const written = writeOwned(batch, this.#encoder, (each) => sender.append(each), more);
      written.catch(() => undefined);
      this.#writes.push(written);
    }
  }

  room(below: number): Promise<void> {
    return this.#sender.room(below);
  }

  /** Ends the transaction with the offsets. @throws MillraceError; the transaction must then be aborted */
  async commit(offsets: readonly CommittedOffset[], member: GroupMember, generation: number): Promise<void> {
    if (!this.#open && offsets.length === 0) return;
    await this.init();
    if (offsets.length > 0) await this.#addOffsets(offsets, member, generation);
    // Replacements of refused records are added to them.
    for (let done = 0; done < this.#writes.length; ) {
      const writes = this.#writes.slice(done);
      done += writes.length;
      await Promise.all(writes);
    }
    member.check(generation);
    await this.#end();
    await this.#visible();
    this.#begun();
    if (this.#doubtful || this.#sender.doubtful) await this.#renew();
  }

  /** Aborts a transaction that may be open. */
  async abort(): Promise<void> {
    if (this.#identity === undefined && !this.#open) return;
    this.#forgetIdentity();
    await Promise.allSettled(this.#writes);
    if (this.#open) await this.init();
    this.#begun();
  }

  waitingFor(): string | undefined {
    return this.#sender.waitingFor();
  }

  /** Ends retries; `close` aborts an open transaction. */
  giveUp(): void {
    this.#sender.close();
    this.#ending.abort();
  }

  /** The name belongs to another process now, which has ended the open transaction. */
  disown(): void {
    this.giveUp();
    this.#open = false;
  }

  async close(): Promise<void> {
    this.giveUp();
    if (!this.#open || this.#cluster.signal.aborted) return;
    const id = this.#transactionalId;
    const query = { transactionalId: id, timeoutMs: this.#cluster.settings.transactionTimeoutMs };
    try {
      const node = await this.#cluster.coordinator('transaction', id);
      await this.#cluster.request(node, 'main', wire.initProducerIdApi, query, CLOSE_MS);
    } catch (error) {
      this.#cluster.forgetCoordinator('transaction', id, error);
      // Nobody waits for this, but an open transaction holds back readers of its outputs. A static name is reused,
      // which also ends it.
      if (this.#cluster.settings.instanceId !== null) return;
      void newProducerId(this.#cluster, id, this.#cluster.signal, Number.POSITIVE_INFINITY).catch(() => undefined);
    }
  }

  /**
   * Continues in a new epoch. An abandoned or repeated request may still be on its way; in the old epoch it would
   * become part of the next transaction: duplicate outputs, or offsets that go back.
   */
  async #renew(): Promise<void> {
    this.#forgetIdentity();
    // The commit is done. A failure here is retried before the next transaction starts.
    await this.init().catch(() => undefined);
  }

  /** Late responses to the old producer are ignored, and its late requests are refused because of their epoch. */
  #forgetIdentity(): void {
    this.#identity = undefined;
    this.#doubtful = false;
    this.#sender.close();
    this.#sender = this.#newSender();
  }

  #newSender(): BatchSender {
    return new BatchSender(this.#cluster, this.#topics, {
      transactionalId: this.#transactionalId,
      identify: async () => {
        await this.init();
        return this.#me();
      },
    });
  }

  #begun(): void {
    this.#partitions.clear();
    this.#writes = [];
    this.#open = false;
  }

  #me(): wire.TransactionIdentity {
    if (this.#identity === undefined) throw kafkaError(48, 'use a transaction', this.#transactionalId);
    return { ...this.#identity, transactionalId: this.#transactionalId };
  }

  async #addOffsets(offsets: readonly CommittedOffset[], member: GroupMember, generation: number): Promise<void> {
    this.#open = true;
    const { groupId } = member.identity;
    await this.#ask('add offsets to a transaction', wire.addOffsetsToTxnApi, { groupId }, (code) => code);
    const me = this.#me();
    await commitAsMember(this.#cluster, this.#topics, member, generation, offsets, (placed, identity, coordinator) =>
      this.#request(coordinator, wire.txnOffsetCommitApi, { ...me, ...identity, offsets: placed }),
    );
  }

  async #end(): Promise<void> {
    let uncertain = false;
    try {
      const onRetry = (error: MillraceError): void => {
        if (kafkaCodeOf(error) === undefined) uncertain = true;
      };
      await this.#ask('commit a transaction', wire.endTxnApi, { commit: true }, (code) => code, onRetry);
    } catch (error) {
      if (!uncertain && !(error instanceof MillraceError && error.errorClass === 'retriable-exhausted')) throw error;
      throw new MillraceError(
        'abortable',
        'ERR_COMMIT_UNKNOWN',
        'It is not known whether a transaction was committed',
        {
          cause: error,
          hint: 'continue from the committed offsets, which show the outcome',
          written: 'unknown',
        },
      );
    }
  }

  /**
   * Waits until the markers are in the log. The commit is decided before that, but only then can its outputs be read
   * and the next transaction start.
   */
  async #visible(): Promise<void> {
    const id = this.#transactionalId;
    const { machine, settings } = this.#cluster;
    const deadline = machine.clock.monotonic() + settings.transactionTimeoutMs;
    for (let pauseMs = 1; machine.clock.monotonic() < deadline && !this.#ending.signal.aborted; pauseMs *= 2) {
      try {
        const node = await this.#cluster.coordinator('transaction', id);
        const { state } = await this.#cluster.request(node, 'main', wire.describeTransactionApi, {
          transactionalId: id,
        });
        if (state !== 'PrepareCommit') return;
      } catch {
        // A failure of this check must not fail a commit that is already decided.
        return;
      }
      await pause(machine.clock, pauseMs, this.#ending.signal);
    }
  }

  async #request<Q, R>(node: number, api: Api<Q, R>, query: Q): Promise<R> {
    try {
      return await this.#cluster.request(node, 'main', api, query);
    } catch (error) {
      this.#doubtful = true;
      throw error;
    }
  }

  async #ask<Q, R>(
    doing: string,
    api: Api<Q & wire.TransactionIdentity, R>,
    query: Q,
    codeOf: (answer: R) => number,
    onRetry: (error: MillraceError) => void = () => undefined,
  ): Promise<void> {
    const id = this.#transactionalId;
    const me = this.#me();
    const { settings } = this.#cluster;
    const { signal } = this.#ending;
    await retrying(
      this.#cluster.machine,
      { doing, limitMs: settings.requestTimeoutMs, firstPauseMs: 3, signal, onRetry },
      async () => {
        try {
          const node = await this.#cluster.coordinator('transaction', id);
          const code = codeOf(await this.#request(node, api, { ...query, ...me }));
          if (code === Code.INVALID_PRODUCER_EPOCH || code === Code.PRODUCER_FENCED) throw fenced(id);
          if (code !== 0) throw kafkaError(code, doing, id);
        } catch (error) {
          this.#cluster.forgetCoordinator('transaction', id, error);
          throw error;
        }
      },
    );
  }
}

function unique(batches: readonly EncodedBatch[]): EncodedBatch[] {
  return [...new Map(batches.map((batch) => [`${batch.topic}/${batch.partition}`, batch])).values()];
}

const fenced = (transactionalId: string): MillraceError =>
  new MillraceError(
    'migrated',
    'ERR_FENCED',
    `The transactions of "${transactionalId}" were taken over or have expired`,
    {
      hint: 'continue from the committed offsets; if this repeats, raise transactionTimeoutMs or commit more often',
      written: 'no',
    },
  );
