import type { Cancel, Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import { type Awaitable, inSteps, type Steps, until } from '../../log/awaitable.ts';
import type { Logger } from '../../log/logger.ts';
import type { CommittedOffset, TaskLog, TopicPartition } from '../../log/transport.ts';
import { outOfRangeIn } from './task-start-errors.ts';

/** Removing records costs a request or a write for each topic. */
const INTERVAL_MS = 30_000;

/**
 * Removes the records that an application has read from topics that it created for itself alone. So these topics need
 * no retention: no record is removed unread, and none stays for long after it was read.
 */
export class ConsumedRecords {
  readonly #log: TaskLog;
  /** Ids of the topics, by their names. */
  readonly #topics: ReadonlyMap<string, string | undefined>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Committed offsets by topic and partition for which a removal is due. */
  readonly #due = new Map<string, Map<number, number>>();
  #cancel: Cancel | undefined;
  #working = false;
  #closed = false;

  constructor(log: TaskLog, topics: ReadonlyMap<string, string | undefined>, clock: Clock, logger: Logger) {
    this.#log = log;
    this.#topics = topics;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Called when offsets are committed: schedules the removal of the records before them. */
  committed(offsets: readonly CommittedOffset[]): void {
    if (this.#topics.size === 0) return;
    for (const { offset, partition, topic } of offsets) this.#note(topic, partition, offset);
    if (this.#due.size > 0 && !this.#closed) this.#cancel ??= this.#clock.after(INTERVAL_MS, () => void this.#remove());
  }

  /** Called when a task starts at these committed offsets: removes records that earlier runs have read. */
  begun(partition: number, positions: ReadonlyMap<string, number>): void {
    for (const [topic, offset] of positions) if (offset > 0) this.#note(topic, partition, offset);
    // A log in memory ends with its process, so it needs no final clean-up.
    if (this.#due.size > 0 && this.#log.kind !== 'memory') void this.#remove();
  }

  /** Reports a failure after working out what it means. */
  report(error: unknown, applicationId: string, tell: (failure: MillraceError) => void): Awaitable<void> {
    return inSteps(this.#report(error, applicationId, tell));
  }

  *#report(error: unknown, applicationId: string, tell: (failure: MillraceError) => void): Steps<void> {
    tell(error instanceof MillraceError ? yield* this.#explain(error, applicationId) : internal(error));
  }

  /**
   * Works out what a failure means. Records that were removed after being read are only missed by a process that has
   * lost its tasks: it was suspended and does not know yet that another process has continued.
   */
  *#explain(failure: MillraceError, applicationId: string): Steps<MillraceError> {
    const { code, offset, partition, topic } = failure;
    if (code !== 'ERR_OFFSET_OUT_OF_RANGE' || topic === undefined) return failure;
    if (!this.#topics.has(topic)) return outOfRangeIn(applicationId, failure);
    const place = { topic, partition: partition ?? 0 };
    const [committed] = yield* this.#committed(applicationId, place);
    if (committed === undefined || committed.offset <= (offset ?? 0)) return outOfRangeIn(applicationId, failure);
    return new MillraceError('migrated', 'ERR_STALE_GENERATION', `records of ${topic} were read by another member`, {
      ...place,
      ...(offset === undefined ? {} : { offset }),
      hint: 'the work belongs to that member; this one continues from the committed offsets',
      cause: failure,
    });
  }

  *#committed(applicationId: string, place: TopicPartition): Steps<readonly CommittedOffset[]> {
    try {
      return yield* until(this.#log.committed(applicationId, [place]));
    } catch {
      return [];
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #note(topic: string, partition: number, offset: number): void {
    if (!this.#topics.has(topic)) return;
    const offsets = this.#due.get(topic);
    if (offsets === undefined) this.#due.set(topic, new Map([[partition, offset]]));
    else offsets.set(partition, offset);
  }

  async #remove(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#working) return;
    this.#working = true;
    // Several tasks assigned at once cause a single request.
    await Promise.resolve();
    const due = Array.from(this.#due, ([topic, offsets]) => {
      return [topic, Array.from(offsets, ([partition, offset]): Before => ({ partition, offset }))] as const;
    });
    this.#due.clear();
    for (const [topic, before] of due) if (!this.#closed) await this.#removeOf(topic, before);
    this.#working = false;
  }

  async #removeOf(topic: string, before: readonly Before[]): Promise<void> {
    try {
      // The name may belong to another topic by now, which was not read.
      const now = (await this.#log.topics.facts([topic])).get(topic);
      if (now?.id === this.#topics.get(topic)) await this.#log.topics.deleteRecords(topic, before);
    } catch (error) {
      if (this.#closed) return;
      const { code, message } = error as MillraceError;
      this.#logger.warn(
        { topic, code, error: message },
        `records of ${topic} that were read could not be removed: they only take up space`,
      );
    }
  }
}

type Before = Pick<TopicPartition, 'partition'> & { readonly offset: number };

function internal(cause: unknown): MillraceError {
  return new MillraceError('fatal', 'ERR_INTERNAL', `the runtime failed: ${String(cause)}`, { cause });
}
