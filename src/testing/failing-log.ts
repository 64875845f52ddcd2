import { MillraceError } from '../errors.ts';
import type { Awaitable } from '../log/awaitable.ts';
import type { CommitUnit, GroupOptions, OutgoingBatch, TaskLog, TaskSession } from '../log/transport.ts';
import type { StoreBackend } from '../state/byte-store.ts';

/**
 * A fault to inject once into an application's calls to its log.
 *
 * - `write`: outputs are refused.
 * - `commit`: a commit is refused and has no effect.
 * - `reply`: a commit takes effect, but the application gets no reply.
 *
 * @public
 */
export type DriverFault = 'write' | 'commit' | 'reply';

/** A log whose calls fail on request of a test. */
export class FailingLog implements TaskLog {
  readonly kind: string;
  readonly capabilities: TaskLog['capabilities'];
  readonly topics: TaskLog['topics'];
  /** Faults for the next calls that they apply to. */
  readonly faults: Set<DriverFault> = new Set();
  readonly #log: TaskLog;
  readonly #applied: () => void;

  /** @param applied - Called when a commit has taken effect but its reply is lost. */
  constructor(log: TaskLog, applied: () => void) {
    this.kind = log.kind;
    this.capabilities = log.capabilities;
    this.topics = log.topics;
    this.#log = log;
    this.#applied = applied;
  }

  offsets(...args: Parameters<TaskLog['offsets']>): ReturnType<TaskLog['offsets']> {
    return this.#log.offsets(...args);
  }

  committed(...args: Parameters<TaskLog['committed']>): ReturnType<TaskLog['committed']> {
    return this.#log.committed(...args);
  }

  fetcher(...args: Parameters<TaskLog['fetcher']>): ReturnType<TaskLog['fetcher']> {
    return this.#log.fetcher(...args);
  }

  group(options: GroupOptions): Awaitable<TaskSession> {
    const failing = (session: TaskSession): TaskSession => new FailingSession(session, this.faults, this.#applied);
    const session = this.#log.group({
      ...options,
      onAssigned: (ids, generation, given) => options.onAssigned(ids, generation, failing(given)),
    });
    return session instanceof Promise ? session.then(failing) : failing(session);
  }
}

class FailingSession implements TaskSession {
  readonly #session: TaskSession;
  readonly #faults: Set<DriverFault>;
  readonly #applied: () => void;

  constructor(session: TaskSession, faults: Set<DriverFault>, applied: () => void) {
    this.#session = session;
    this.#faults = faults;
    this.#applied = applied;
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

  send(batches: readonly OutgoingBatch[], generation?: number): Awaitable<void> {
    if (this.#faults.delete('write')) throw injected('outputs were not taken', 'no');
    return this.#session.send(batches, generation);
  }

  commit(unit: CommitUnit): Awaitable<void> {
    if (this.#faults.delete('commit')) throw injected('a commit was refused', 'no');
    const done = this.#session.commit(unit);
    if (!this.#faults.has('reply')) return done;
    return done instanceof Promise ? done.then(() => this.#lose()) : this.#lose();
  }

  #lose(): void {
    this.#faults.delete('reply');
    this.#applied();
    throw injected('a commit was not answered', 'unknown');
  }

  waitingFor(): string | undefined {
    return this.#session.waitingFor();
  }

  leave(): Awaitable<void> {
    return this.#session.leave();
  }
}

export const INJECTED = 'ERR_INJECTED';

function injected(what: string, written: 'no' | 'unknown'): MillraceError {
  return new MillraceError('abortable', 'ERR_INJECTED', `${what}, because the test said so`, {
    written,
    hint: 'driver.failNext(…) made this happen: tasks are built again from the last commit',
  });
}
