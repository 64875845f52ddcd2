import { MillraceError } from '../../errors.ts';
import type { Awaitable } from '../../log/awaitable.ts';
import type { CommittedOffset, CommitUnit, GroupSession, OutgoingBatch, TaskSession } from '../../log/transport.ts';
import { halvesOf, pickRecords } from '../../protocol/divide-batch.ts';
import type { StoreBackend, StoreWrites } from '../../state/byte-store.ts';
import type { GroupSeat } from './groups.ts';
import { OrderedGate } from './ordered-gate.ts';
import { prepareAll } from './prepare-all.ts';

/** One commit as a log applies it: all of it or nothing. */
export interface LogCommit<B> {
  readonly groupId: string;
  readonly outputs: readonly B[];
  readonly offsets: readonly CommittedOffset[];
  readonly state: readonly StoreWrites[];
}

/** What a session needs from the log below it. `B` is a batch in the format of that log. */
export interface SessionLog<B> {
  readonly stores: StoreBackend;
  /** Encodes and checks a batch; synchronously if possible, because the caller reuses the builder afterwards. */
  prepare(batch: OutgoingBatch): B | Promise<B>;
  /** Applies a commit after all earlier ones; resolves when it is durable. */
  commit(commit: LogCommit<B>): Awaitable<void>;
  waitingFor(): string | undefined;
  /** The session has ended. */
  left(): Awaitable<void>;
}

/** The log batches made from an output. */
type Prepared<B> = readonly B[] | Promise<readonly B[]>;

/**
 * A group session on a log of this machine: outputs are held back and written with their commit. It only waits where
 * the log does.
 */
export class LocalSession<B> implements TaskSession {
  readonly #groupId: string;
  readonly #seat: GroupSeat;
  readonly #log: SessionLog<B>;
  readonly #gate = new OrderedGate();
  readonly #commits = new Set<Promise<void>>();
  #outputs: Prepared<B>[] = [];

  constructor(groupId: string, seat: GroupSeat, log: SessionLog<B>) {
    this.#groupId = groupId;
    this.#seat = seat;
    this.#log = log;
  }

  get generation(): number {
    return this.#seat.generation;
  }

  get epoch(): number {
    return this.#seat.epoch;
  }

  get stores(): StoreBackend {
    return this.#log.stores;
  }

  send(batches: readonly OutgoingBatch[]): Awaitable<void> {
    const prepared = prepareAll(batches, (batch) => this.#prepare(batch));
    const waiting = prepared.filter((output): output is Promise<readonly B[]> => output instanceof Promise);
    for (const output of prepared) this.#outputs.push(output);
    return waiting.length === 0 ? undefined : this.#ready(prepared, waiting);
  }

  /** A commit that is called meanwhile includes these and waits for them, or fails with them. */
  async #ready(prepared: readonly Prepared<B>[], waiting: readonly Promise<unknown>[]): Promise<void> {
    const outputs = this.#outputs;
    try {
      await Promise.all(waiting);
    } catch (error) {
      // The caller knows about the failure; it must not fail a later commit too.
      if (outputs === this.#outputs) this.#outputs = outputs.filter((output) => !prepared.includes(output));
      throw error;
    }
  }

  commit(unit: CommitUnit): Awaitable<void> {
    const outputs = this.#outputs;
    this.#outputs = [];
    const done = this.#submit(unit, outputs);
    if (!(done instanceof Promise)) return done;
    this.#commits.add(done);
    const settled = (): boolean => this.#commits.delete(done);
    done.then(settled, settled);
    this.#seat.track(done);
    return done;
  }

  /**
   * A batch in the format of the log. For a refused batch: the records that are not refused, and replacements for the
   * rest.
   */
  #prepare(batch: OutgoingBatch): Prepared<B> {
    const refused = (error: unknown): Promise<readonly B[]> => this.#without(batch, error);
    try {
      const prepared = this.#log.prepare(batch);
      if (!(prepared instanceof Promise)) return [prepared];
      return prepared.then((output) => [output], refused);
    } catch (error) {
      if (batch.owner === undefined) throw error;
      return refused(error);
    }
  }

  async #without(batch: OutgoingBatch, error: unknown): Promise<readonly B[]> {
    const { origins, owner, records, topic } = batch;
    if (owner === undefined || !(error instanceof MillraceError) || error.errorClass !== 'record') throw error;
    // Before any wait, because the caller then reuses the builder.
    const columns = records.columns(0);
    const parts =
      records.count === 1
        ? await owner.refused(error, topic, origins?.at(0))
        : halvesOf(records.count).map((half) => ({
            ...batch,
            records: pickRecords(columns, half),
            ...(origins === undefined ? {} : { origins: origins.slice(half[0], (half.at(-1) ?? 0) + 1) }),
          }));
    return (await Promise.all(parts.map(async (part) => this.#prepare(part)))).flat();
  }

  #submit(unit: CommitUnit, outputs: readonly Prepared<B>[]): Awaitable<void> {
    this.#seat.check(unit.generation);
    return this.#gate.run(outputs, (ready) => {
      this.#seat.check(unit.generation);
      return this.#commit(unit, ready.length === 1 ? (ready[0] as readonly B[]) : ready.flat());
    });
  }

  #commit(unit: CommitUnit, outputs: readonly B[]): Awaitable<void> {
    return this.#log.commit({ groupId: this.#groupId, outputs, offsets: unit.offsets, state: unit.state });
  }

  waitingFor(): string | undefined {
    if (this.#seat.rebalancing) return 'the tasks of the group are being reassigned';
    return this.#log.waitingFor();
  }

  leave(): Awaitable<void> {
    this.#seat.leave();
    this.#outputs = [];
    if (this.#commits.size === 0) return this.#log.left();
    return Promise.allSettled(this.#commits).then(() => this.#log.left());
  }
}

/** A session with promises, as transports return it. */
export class PromisedSession implements GroupSession {
  readonly #session: TaskSession;

  constructor(session: TaskSession) {
    this.#session = session;
  }

  get generation(): number {
    return this.#session.generation;
  }

  get epoch(): number {
    return this.#session.epoch;
  }

  get stores(): StoreBackend {
    return this.#session.stores;
  }

  async send(batches: readonly OutgoingBatch[], generation?: number): Promise<void> {
    // Returned without await: another promise would delay the caller.
    return this.#session.send(batches, generation);
  }

  async commit(unit: CommitUnit): Promise<void> {
    return this.#session.commit(unit);
  }

  waitingFor(): string | undefined {
    return this.#session.waitingFor();
  }

  async leave(): Promise<void> {
    return this.#session.leave();
  }
}
