import type { Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import { type Awaitable, inSteps, quietly, type Steps, until } from '../../log/awaitable.ts';
import type { CommittedOffset, OffsetOrigin, OutgoingBatch, TaskSession } from '../../log/transport.ts';
import { counted } from '../../options/counted.ts';
import type { StoreWrites } from '../../state/byte-store.ts';
import type { SharedOutputs } from '../task/shared-outputs.ts';
import type { Task } from '../task/task.ts';
import type { TaskProgress } from '../task/task-host.ts';
import type { Announcer } from './announcer.ts';
import type { Changelog } from './changelog.ts';
import type { BegunCommit, Telemetry } from './telemetry.ts';

/** What a committer needs from the engine. */
export interface CommitterHost {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly clock: Clock;
  /** Whether the outputs, changes and offsets of a commit become durable together. */
  readonly atomic: boolean;
  /** `undefined` before it has joined. */
  session(): Joined | undefined;
  /** The origin of the positions in an input. */
  origin(topic: string, partition: number): OffsetOrigin;
  /** Keeps stores and changelogs consistent if the log does not keep the state. */
  changelog(): Changelog | undefined;
  /** The outputs of all tasks. */
  readonly outputs: Pick<SharedOutputs, 'take' | 'recycle'>;
  /** Adds time announcements of tasks to their outputs. */
  announcer?(): Pick<Announcer, 'announce' | 'due'>;
  /** Measures commits and publishes events about them. */
  readonly telemetry?: Pick<Telemetry, 'begun' | 'committed' | 'failed'> | undefined;
  /** Offsets have become durable. */
  committed?(offsets: readonly CommittedOffset[]): void;
  /** Whether a failure has been seen: nothing is committed after it. */
  failed(): boolean;
  /** Schedules turns. */
  schedule(): void;
  fail(error: unknown): void;
}

/** A session, and the generation in which its tasks work. */
interface Joined {
  readonly session: TaskSession;
  readonly generation: number;
}

const NONE: readonly OutgoingBatch[] = [];

/** A commit that takes longer than this is reported, in ms. */
const LONG_MS = 1000;

/**
 * The commit as a barrier: asynchronous work drains, outputs are sent, then outputs, state and offsets of all tasks
 * become durable together, and only then are the tasks told. There is one commit at a time.
 */
export class Committer {
  commits = 0;
  /** Monotonic time of the last commit. */
  lastCommit: number | undefined;
  /** How long the last commit took, in ms. */
  lastDurationMs = 0;
  readonly #host: CommitterHost;
  #current: Promise<void> | undefined;
  /** What the current commit waits for, and since when (monotonic). */
  #step = '';
  #stepSince = 0;
  #flushing = false;
  #unconfirmed = false;
  /** Set while a commit waits for asynchronous calls; called when there are none left. */
  #barrier: (() => void) | undefined;
  #abandoned = false;

  constructor(host: CommitterHost) {
    this.#host = host;
  }

  /** The commit in progress. */
  get current(): Promise<void> | undefined {
    return this.#current;
  }

  /**
   * Whether outputs of its tasks were sent ahead of a commit, and none has waited for their acknowledgement since. A commit
   * must follow, because it is what reports that they were not written. That holds for mere announcements too, after which no
   * task has anything to commit.
   */
  get owes(): boolean {
    return this.#unconfirmed && this.#host.tasks.size > 0;
  }

  /** Whether tasks take no further records, because a commit waits for their asynchronous calls. */
  get closed(): boolean {
    return this.#barrier !== undefined;
  }

  /** Describes what a commit waits for: asynchronous calls before it, or the log for longer than usual. */
  waitingFor(): string | undefined {
    if (this.closed) return `a commit waits for ${counted(this.pendingAsync(), 'asynchronous call')}`;
    if (this.#step === '') return undefined;
    const ms = this.#host.clock.monotonic() - this.#stepSince;
    return ms < LONG_MS ? undefined : `a commit, which has waited for ${Math.floor(ms / 1000)} s for ${this.#step}`;
  }

  #over(): void {
    this.#current = undefined;
    this.#step = '';
  }

  #waitsFor(step: string): void {
    this.#step = step;
    this.#stepSince = this.#host.clock.monotonic();
  }

  /** Asynchronous calls in progress in all tasks. */
  pendingAsync(): number {
    let sum = 0;
    for (const task of this.#host.tasks.values()) sum += task.pendingAsync();
    return sum;
  }

  /** Called after each round of turns: lets a waiting commit continue when no asynchronous call is left. */
  poke(): void {
    if (this.#barrier !== undefined && this.pendingAsync() === 0) this.#barrier();
  }

  /** Gives up waiting: the engine closes. */
  abandon(): void {
    this.#abandoned = true;
    this.#barrier?.();
  }

  /**
   * Resolves when no commit is using the log any more. A commit that waits for asynchronous calls has not sent anything
   * yet.
   */
  settled(): Awaitable<void> {
    return this.closed ? undefined : quietly(() => this.#current);
  }

  /** Commits the work of the tasks; if a commit is in progress, waits for its end. */
  commit(): Awaitable<void> {
    return this.#current ?? this.#alone(this.#once());
  }

  /**
   * Retires tasks that move to another process: they take no more records, and all their work is committed, including
   * what a commit in progress does not cover.
   */
  retire(ids: readonly string[]): Awaitable<void> {
    return inSteps(this.#retire(ids));
  }

  *#retire(ids: readonly string[]): Steps<void> {
    for (const id of ids) this.#host.tasks.get(id)?.retire();
    while (this.#current !== undefined) yield* until(this.#current);
    yield* until(this.commit());
  }

  /** Runs work without any other commit in between. */
  #alone(work: Steps<void>): Awaitable<void> {
    let done: Awaitable<void>;
    try {
      done = inSteps(work);
    } finally {
      this.#host.schedule();
    }
    if (!(done instanceof Promise)) {
      this.#step = '';
      return done;
    }
    const current = done.finally(() => {
      this.#over();
      this.#host.schedule();
    });
    this.#current = current;
    return current;
  }

  /**
   * Sends outputs ahead of the commit, for logs whose readers see them at once. Outputs that arrive meanwhile wait and
   * are then sent together.
   */
  flush(): Awaitable<void> {
    return inSteps(this.#flush());
  }

  *#flush(): Steps<void> {
    const joined = this.#host.session();
    if (joined === undefined || this.#flushing) return;
    // The work of a failed task cannot be trusted, and nothing continues after it.
    for (const task of this.#host.tasks.values()) if (task.failure !== undefined) return;
    const written = this.#host.outputs.take();
    const outputs = this.#host.announcer?.().announce(written) ?? written;
    if (outputs.length === 0) return;
    this.#flushing = true;
    this.#unconfirmed = true;
    try {
      yield* until(joined.session.send(outputs, joined.generation));
      this.#host.outputs.recycle(written);
      this.#host.schedule();
    } catch (error) {
      this.#host.fail(error);
    } finally {
      this.#flushing = false;
    }
  }

  /**
   * Commits the start positions of tasks before they are built. No other commit runs at the same time.
   *
   * @param due - The progress to write, for those tasks that this member still owns when the commit starts.
   * @param owned - Whether this member still owns all of them.
   */
  settle(due: () => readonly TaskProgress[], owned: () => boolean): Awaitable<void> {
    return inSteps(this.#settle(due, owned));
  }

  *#settle(due: () => readonly TaskProgress[], owned: () => boolean): Steps<void> {
    while (this.#current !== undefined) yield* until(this.#current.catch(() => undefined));
    const joined = this.#host.session();
    const progress = due();
    if (joined === undefined || progress.length === 0 || this.#host.failed()) return;
    yield* until(this.#alone(this.#begin(joined, progress, owned)));
  }

  *#begin(joined: Joined, progress: readonly TaskProgress[], owned: () => boolean): Steps<void> {
    yield* this.#write(joined, owned, progress, []);
    this.#host.changelog()?.committed(statesOf(progress));
  }

  *#once(): Steps<void> {
    const { telemetry } = this.#host;
    let begun: BegunCommit | undefined;
    let started = 0;
    let progress: readonly TaskProgress[] = [];
    try {
      yield* this.#quiet();
      // Give up: offsets must never pass records with unfinished calls.
      if (this.#abandoned || this.pendingAsync() > 0) return;
      const joined = this.#host.session();
      const tasks: Task[] = [];
      for (const task of this.#host.tasks.values()) if (task.dirty) tasks.push(task);
      if (joined === undefined || this.#host.failed()) return;
      if (tasks.length === 0 && this.#host.announcer?.().due !== true && !this.owes) return;
      // A task may fail between turns, by an unexpected emission: its work since then cannot be trusted.
      const broken = tasks.find((task) => task.failure !== undefined);
      if (broken !== undefined) throw broken.failure as MillraceError;
      started = this.#host.clock.monotonic();
      begun = telemetry?.begun();
      progress = tasks.map((task) => task.takeProgress());
      const outputs = this.#host.outputs.take();
      this.#unconfirmed = false;
      const owned = (): boolean => tasks.every((task) => this.#isOurs(task));
      yield* this.#write(joined, owned, progress, this.#host.announcer?.().announce(outputs) ?? outputs);
      // A task that was lost meanwhile may have been assigned again, and its stores restored with these changes.
      const changelog = this.#host.changelog();
      if (changelog !== undefined) {
        const kept = progress.filter((_, at) => this.#isOurs(tasks[at]!));
        changelog.committed(statesOf(kept));
      }
      this.#host.outputs.recycle(outputs);
      for (const task of tasks) task.committed();
      for (const { offsets } of progress) this.#host.committed?.(offsets);
      this.commits += 1;
      this.lastCommit = this.#host.clock.monotonic();
      this.lastDurationMs = this.lastCommit - started;
      if (begun !== undefined) telemetry?.committed(begun, this.lastDurationMs, progress);
    } catch (error) {
      if (begun !== undefined) telemetry?.failed(begun, this.#host.clock.monotonic() - started, progress, error);
      this.#host.fail(error);
      throw error;
    }
  }

  #isOurs(task: Task): boolean {
    return this.#host.tasks.get(task.id) === task;
  }

  /**
   * The generation for the work of tasks. The group may move to a new one before the commit is sent; the work stays
   * valid if all of these tasks stay.
   */
  #generation({ generation }: Joined, owned: () => boolean): number {
    return owned() ? (this.#host.session()?.generation ?? generation) : generation;
  }

  /** @param owned - Whether this member still owns all tasks whose work it is. */
  *#write(
    joined: Joined,
    owned: () => boolean,
    progress: readonly TaskProgress[],
    written: readonly OutgoingBatch[],
  ): Steps<void> {
    const { generation, session } = joined;
    const changelog = this.#host.changelog();
    const state = statesOf(progress);
    const changes = changelog?.batches(state, generation) ?? NONE;
    const together = changes.length > 0 && this.#host.atomic;
    const outputs = together ? [...written, ...changes] : written;
    this.#waitsFor('its outputs to be taken');
    if (outputs.length > 0) yield* until(session.send(outputs, generation));
    if (!this.#host.atomic && changes.length > 0) {
      // All outputs must be acknowledged first: a store that after a crash already records a window as closed would not
      // emit it again.
      this.#waitsFor('its outputs to be acknowledged');
      this.#checkWhole();
      yield* until(session.commit({ generation: this.#generation(joined, owned), offsets: [], state: [] }));
      this.#waitsFor('the changes of its stores to be taken');
      yield* until(session.send(changes, generation));
    }
    this.#waitsFor('its offsets to be committed');
    const offsets = this.#placed(progress);
    this.#checkWhole();
    yield* until(
      session.commit({
        generation: this.#generation(joined, owned),
        offsets,
        state: changelog === undefined ? state : [],
      }),
    );
  }

  /**
   * Outputs are also sent ahead of a commit. If that fails while the commit is sending its own, the log holds the later outputs
   * without the earlier ones, and the offsets of the commit would skip the records of the missing ones.
   */
  #checkWhole(): void {
    if (!this.#host.failed()) return;
    throw new MillraceError('abortable', 'ERR_ABORTED', 'Outputs before the commit could not be sent', {
      hint: 'continue from the committed offsets',
      written: 'no',
    });
  }

  /** The offsets of tasks, each with the id of its topic. */
  #placed(progress: readonly TaskProgress[]): CommittedOffset[] {
    const placed: CommittedOffset[] = [];
    for (const { offsets } of progress) {
      for (const each of offsets) {
        const { metadata, offset, partition, topic } = each;
        // The start position of a task has its topic before anything is read from that.
        const origin = this.#host.origin(topic, partition);
        const topicId = origin.topicId ?? each.topicId;
        const leaderEpoch = origin.leaderEpoch ?? each.leaderEpoch;
        // Copied field by field: spreading two objects takes a tenth of a small commit.
        const place: Written<CommittedOffset> = { topic, partition, offset };
        if (metadata !== undefined) place.metadata = metadata;
        if (topicId !== undefined) place.topicId = topicId;
        if (leaderEpoch !== undefined) place.leaderEpoch = leaderEpoch;
        placed.push(place);
      }
    }
    return placed;
  }

  /** Resolves when no asynchronous call is in progress; until then tasks take no records. */
  *#quiet(): Steps<void> {
    // After a failure there are no turns any more in which the results of calls would be taken.
    if (this.#abandoned || this.pendingAsync() === 0) return;
    const quiet = new Promise<void>((resolve) => {
      this.#barrier = resolve;
      this.#host.schedule();
    });
    yield* until(quiet);
    this.#barrier = undefined;
  }
}

type Written<T> = { -readonly [Field in keyof T]: T[Field] };

/** The changes of all stores. A live application usually commits a record or two of a single task. */
function statesOf(progress: readonly TaskProgress[]): readonly StoreWrites[] {
  return progress.length === 1 ? (progress[0] as TaskProgress).state : progress.flatMap(({ state }) => state);
}
