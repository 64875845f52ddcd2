import type { Cancel, Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import { type Awaitable, inSteps, type Steps, until } from '../../log/awaitable.ts';
import type { Logger } from '../../log/logger.ts';
import type { CommittedOffset, TaskLog, TopicPartition } from '../../log/transport.ts';
import { outOfRangeIn } from './task-start-errors.ts';

/** Removing records costs a request or a write for each topic. */
const INTERVAL_MS = 30_000;

/**
 * Removes what an application has read of the topics that it has made for itself alone, so that they need no retention: none
 * of their records goes unread, and none stays for long when it has been read.
 */
export class ConsumedRecords {
  readonly #log: TaskLog;
  /** Ids of the topics, by their names. */
  readonly #topics: ReadonlyMap<string, string | undefined>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Committed offsets, by topic and partition, before which records have not been removed yet. */
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

  /** Offsets are committed: what lies before them may go, some time later. */
  committed(offsets: readonly CommittedOffset[]): void {
    if (this.#topics.size === 0) return;
    for (const { offset, partition, topic } of offsets) this.#note(topic, partition, offset);
    if (this.#due.size > 0 && !this.#closed) this.#cancel ??= this.#clock.after(INTERVAL_MS, () => void this.#remove());
  }

  /** A task begins at these committed offsets: what runs before this one have read goes now. */
  begun(partition: number, positions: ReadonlyMap<string, number>): void {
    for (const [topic, offset] of positions) if (offset > 0) this.#note(topic, partition, offset);
    // A log in memory ends with its process, so nothing is left over there that no later run would look after.
    if (this.#due.size > 0 && this.#log.kind !== 'memory') void this.#remove();
  }

  /** Tells what a failure means. */
  report(error: unknown, applicationId: string, tell: (failure: MillraceError) => void): Awaitable<void> {
    return inSteps(this.#report(error, applicationId, tell));
  }

  *#report(error: unknown, applicationId: string, tell: (failure: MillraceError) => void): Steps<void> {
    tell(error instanceof MillraceError ? yield* this.#explain(error, applicationId) : internal(error));
  }

  /**
   * What a failure means. Records that were removed because they were read are missed only by who has lost its work: a
   * process that was stopped, and that has not heard yet that another one went on.
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
    // Whoever is assigned several tasks at once asks once.
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
      // Another topic may have the name by now, of which nothing was read.
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
