import type { Clock } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
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

/** What a committer needs of the engine around it. */
export interface CommitterHost {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly clock: Clock;
  /** Whether the outputs, changes and offsets of a commit become durable together. */
  readonly atomic: boolean;
  /** `undefined` before it has joined. */
  session(): Joined | undefined;
  /** What the positions in an input are offsets of. */
  origin(topic: string, partition: number): OffsetOrigin;
  /** Keeps stores and changelogs together where the log does not hold the state. */
  changelog(): Changelog | undefined;
  /** What all the tasks have written. */
  readonly outputs: Pick<SharedOutputs, 'take' | 'recycle'>;
  /** Adds what tasks say of their time to what they hand over. */
  announcer?(): Pick<Announcer, 'announce' | 'due'>;
  /** Measures commits, and tells of them. */
  readonly telemetry?: Pick<Telemetry, 'begun' | 'committed' | 'failed'> | undefined;
  /** Offsets have become durable. */
  committed?(offsets: readonly CommittedOffset[]): void;
  /** Whether a failure has been seen: nothing is committed after it. */
  failed(): boolean;
  /** Turns are wanted. */
  schedule(): void;
  fail(error: unknown): void;
}

/** A session, and the generation in which its tasks work. */
interface Joined {
  readonly session: TaskSession;
  readonly generation: number;
}

const NONE: readonly OutgoingBatch[] = [];

/** A commit that takes longer than this is worth saying, in ms. */
const LONG_MS = 1000;

/**
 * The commit as a barrier: asynchronous work runs dry, outputs are handed over, then outputs, state and offsets of all
 * tasks become durable together, and only then the tasks learn of it. One commit is under way at a time.
 */
export class Committer {
  commits = 0;
  /** Monotonic time of the last commit. */
  lastCommit: number | undefined;
  /** How long the last commit took, in ms. */
  lastDurationMs = 0;
  readonly #host: CommitterHost;
  #current: Promise<void> | undefined;
  /** What the commit under way waits for, and since when (monotonic). */
  #step = '';
  #stepSince = 0;
  #flushing = false;
  /** Set while a commit waits for asynchronous calls; called when there are none left. */
  #barrier: (() => void) | undefined;
  #abandoned = false;

  constructor(host: CommitterHost) {
    this.#host = host;
  }

  /** The commit that is under way. */
  get current(): Promise<void> | undefined {
    return this.#current;
  }

  /** Whether tasks take no further records, because a commit waits for their asynchronous calls. */
  get closed(): boolean {
    return this.#barrier !== undefined;
  }

  /** What a commit waits for, in words: asynchronous calls before it, or the log for longer than is usual. */
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

  /** Asynchronous calls under way in all tasks. */
  pendingAsync(): number {
    let sum = 0;
    for (const task of this.#host.tasks.values()) sum += task.pendingAsync();
    return sum;
  }

  /** Called after each round of turns: lets a waiting commit go on when no asynchronous call is left. */
  poke(): void {
    if (this.#barrier !== undefined && this.pendingAsync() === 0) this.#barrier();
  }

  /** Gives up waiting: the engine closes. */
  abandon(): void {
    this.#abandoned = true;
    this.#barrier?.();
  }

  /** Resolves when the log no longer has a part in a commit. One that waits for asynchronous calls has given it nothing yet. */
  settled(): Awaitable<void> {
    return this.closed ? undefined : quietly(() => this.#current);
  }

  /** Commits what the tasks have done; while a commit is under way, its end is what is waited for. */
  commit(): Awaitable<void> {
    return this.#current ?? this.#alone(this.#once());
  }

  /** Tasks that go to another process take no more records; all that they did is committed, also what a commit under way came too early for. */
  retire(ids: readonly string[]): Awaitable<void> {
    return inSteps(this.#retire(ids));
  }

  *#retire(ids: readonly string[]): Steps<void> {
    for (const id of ids) this.#host.tasks.get(id)?.retire();
    while (this.#current !== undefined) yield* until(this.#current);
    yield* until(this.commit());
  }

  /** Runs what no other commit may come between. */
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
   * Hands outputs over ahead of the commit, for logs whose readers see them at once. What comes while others are being
   * taken waits for these, and then goes together.
   */
  flush(): Awaitable<void> {
    return inSteps(this.#flush());
  }

  *#flush(): Steps<void> {
    const joined = this.#host.session();
    if (joined === undefined || this.#flushing) return;
    // What a broken task has done is not to be trusted, and nothing goes on after it.
    for (const task of this.#host.tasks.values()) if (task.failure !== undefined) return;
    const written = this.#host.outputs.take();
    const outputs = this.#host.announcer?.().announce(written) ?? written;
    if (outputs.length === 0) return;
    this.#flushing = true;
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
   * Makes durable where tasks begin, before they are built. No commit of others runs at the same time.
   *
   * @param due - What there is to write of the tasks that are still this member's when the commit begins.
   * @param owned - Whether all of these still are.
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
      // Given up: offsets never pass records whose calls are not finished.
      if (this.#abandoned || this.pendingAsync() > 0) return;
      const joined = this.#host.session();
      const tasks: Task[] = [];
      for (const task of this.#host.tasks.values()) if (task.dirty) tasks.push(task);
      if (joined === undefined || this.#host.failed()) return;
      if (tasks.length === 0 && this.#host.announcer?.().due !== true) return;
      // A task may fail between turns, by an emission that nobody foresaw: what it has done since is not to be trusted.
      const broken = tasks.find((task) => task.failure !== undefined);
      if (broken !== undefined) throw broken.failure as MillraceError;
      started = this.#host.clock.monotonic();
      begun = telemetry?.begun();
      progress = tasks.map((task) => task.takeProgress());
      const outputs = this.#host.outputs.take();
      const owned = (): boolean => tasks.every((task) => this.#isOurs(task));
      yield* this.#write(joined, owned, progress, this.#host.announcer?.().announce(outputs) ?? outputs);
      // A task that was lost meanwhile may have been given again, and its stores restored with these changes in them.
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
   * The generation of work of tasks. The group may go on to another one before the log is asked to commit; where all of these
   * tasks stay, so does what they did.
   */
  #generation({ generation }: Joined, owned: () => boolean): number {
    return owned() ? (this.#host.session()?.generation ?? generation) : generation;
  }

  /** @param owned - Whether all whose work it is are still this member's. */
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
      // First all outputs are acknowledged. A store that knew after a crash of a closed window would not emit it again.
      this.#waitsFor('its outputs to be acknowledged');
      yield* until(session.commit({ generation: this.#generation(joined, owned), offsets: [], state: [] }));
      this.#waitsFor('the changes of its stores to be taken');
      yield* until(session.send(changes, generation));
    }
    this.#waitsFor('its offsets to be committed');
    const offsets = this.#placed(progress);
    yield* until(
      session.commit({
        generation: this.#generation(joined, owned),
        offsets,
        state: changelog === undefined ? state : [],
      }),
    );
  }

  /** The offsets of tasks, each with the topic that it belongs to. */
  #placed(progress: readonly TaskProgress[]): CommittedOffset[] {
    const placed: CommittedOffset[] = [];
    for (const { offsets } of progress) {
      for (const each of offsets) {
        const { metadata, offset, partition, topic } = each;
        // Where a task begins is known with its topic before anything is read of that.
        const origin = this.#host.origin(topic, partition);
        const topicId = origin.topicId ?? each.topicId;
        const leaderEpoch = origin.leaderEpoch ?? each.leaderEpoch;
        // Field by field: what is spread from two objects takes a tenth of a small commit.
        const place: Written<CommittedOffset> = { topic, partition, offset };
        if (metadata !== undefined) place.metadata = metadata;
        if (topicId !== undefined) place.topicId = topicId;
        if (leaderEpoch !== undefined) place.leaderEpoch = leaderEpoch;
        placed.push(place);
      }
    }
    return placed;
  }

  /** Resolves when no asynchronous call is under way; until then tasks take no records. */
  *#quiet(): Steps<void> {
    if (this.pendingAsync() === 0) return;
    const quiet = new Promise<void>((resolve) => {
      this.#barrier = resolve;
      this.#host.schedule();
    });
    yield* until(quiet);
    this.#barrier = undefined;
  }
}

type Written<T> = { -readonly [Field in keyof T]: T[Field] };

/** The changes of all stores. A live application commits a record or two at a time, and mostly of one task. */
function statesOf(progress: readonly TaskProgress[]): readonly StoreWrites[] {
  return progress.length === 1 ? (progress[0] as TaskProgress).state : progress.flatMap(({ state }) => state);
}
