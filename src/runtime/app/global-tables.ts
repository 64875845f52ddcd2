import type { Clock } from '../../dataflow/clock.ts';
import type { GlobalRows } from '../../dataflow/global-source.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import type { InputOrigin } from '../../dataflow/task-context.ts';
import type { MillraceError } from '../../errors.ts';
import { type Awaitable, every, inSteps, type Steps, until } from '../../log/awaitable.ts';
import { deadLetterOf } from '../../log/dead-letter.ts';
import { rawRecord } from '../../log/decode.ts';
import type { Letters } from '../../log/letter-sender.ts';
import { noLogger } from '../../log/logger.ts';
import { asRecordError, bareMessage, type FailurePlace, isDeadLetter } from '../../log/record-failures.ts';
import type { FetchedBatch, Fetcher, TaskLog, TopicFacts } from '../../log/transport.ts';
import { unreadableRange } from '../../log/unreadable.ts';
import type { DeadLetterPolicy, RecordPolicy } from '../../options/record-policy.ts';
import type { AppOptions } from './app-options.ts';
import { GlobalRowMap, type GlobalTableSnapshot } from './global-rows.ts';

/** A partition of a global table's topic, and how far it has been read. */
interface Position {
  readonly rows: GlobalRowMap;
  readonly partition: number;
  /** The end of the partition when loading began. */
  readonly end: number;
  offset: number;
}

/**
 * The global tables of an application in this process: read to their end before the first task is built, then followed.
 */
export class GlobalTables {
  readonly #options: Pick<AppOptions, 'applicationId' | 'onRecordError' | 'logger'>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  readonly #tables: ReadonlyMap<string, GlobalRowMap>;
  readonly #positions: Position[] = [];
  #fetcher: Fetcher | undefined;
  #ready: (() => void) | undefined;
  readonly #letters: Letters;
  /** Dead letters being written; never rejects. */
  readonly #writing = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param letters - Writes dead letters; closed with this.
   * @param failed - Called when following has failed: the rows would otherwise go stale silently.
   */
  constructor(
    uses: readonly TopicUse[],
    options: Pick<AppOptions, 'applicationId' | 'onRecordError' | 'logger'>,
    clock: Clock,
    letters: Letters,
    failed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#letters = letters;
    this.#failed = failed;
    this.#tables = new Map(uses.map((use) => [use.name, new GlobalRowMap(use)]));
  }

  rows(topic: string): GlobalRows {
    return this.#tables.get(topic) as GlobalRows;
  }

  /** Reads all topics to their current end, then follows them. */
  load(log: TaskLog, topics: ReadonlyMap<string, TopicFacts>): Awaitable<void> {
    return inSteps(this.#load(log, topics));
  }

  *#load(log: TaskLog, topics: ReadonlyMap<string, TopicFacts>): Steps<void> {
    if (this.#tables.size === 0) return;
    const fetcher = log.fetcher({ onReady: () => this.#woken() });
    this.#fetcher = fetcher;
    for (const [topic, rows] of this.#tables) {
      const ends = yield* until(log.offsets(topic, 'latest'));
      for (const [partition, offset] of yield* until(log.offsets(topic, 'earliest'))) {
        this.#positions.push({ rows, partition, offset, end: ends.get(partition) ?? offset });
        fetcher.assign(topic, partition, offset, { topicId: topics.get(topic)?.id });
      }
    }
    while (this.#behind() > 0) {
      // The promise is made before polling, so that no wake-up is missed in between.
      const ready = new Promise<void>((resolve) => {
        this.#ready = resolve;
      });
      // An unreadable batch may be skipped, and then there is no batch.
      if (this.#read(fetcher) === 0 && this.#behind() > 0) yield* until(ready);
    }
    this.#ready = undefined;
    yield* until(every([...this.#writing]));
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  snapshot(): GlobalTableSnapshot[] {
    return Array.from(this.#tables.values(), (rows) => rows.snapshot());
  }

  /** Describes what is still being loaded. */
  waitingFor(): string | undefined {
    const behind = this.#behind();
    if (behind === 0) return undefined;
    return `global tables being loaded: ${behind} records of ${[...this.#tables.keys()].join(', ')} to go`;
  }

  /** Applies the available records now. @throws MillraceError the failure of a record or the log */
  follow(): void {
    if (this.#fetcher !== undefined) this.#read(this.#fetcher);
  }

  close(): Awaitable<void> {
    return inSteps(this.#close());
  }

  *#close(): Steps<void> {
    yield* until(this.#fetcher?.close());
    yield* until(every([...this.#writing]));
    yield* until(this.#letters.close());
  }

  #behind(): number {
    return this.#positions.reduce((sum, { end, offset }) => sum + Math.max(0, end - offset), 0);
  }

  #woken(): void {
    if (this.#ready !== undefined) {
      this.#ready();
      return;
    }
    try {
      this.#read(this.#fetcher as Fetcher);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Applies the available records. @returns the number of batches. */
  #read(fetcher: Fetcher): number {
    let batches = 0;
    for (const position of this.#positions) {
      const { partition, rows } = position;
      for (;;) {
        const batch = this.#poll(fetcher, position);
        if (batch === undefined) break;
        this.#apply(rows, partition, batch);
        position.offset = batch.nextOffset;
        batches += 1;
      }
    }
    return batches;
  }

  /** The next batch; an unreadable one is skipped if the policy says so. */
  #poll(fetcher: Fetcher, position: Position): FetchedBatch | undefined {
    const { partition, rows } = position;
    const { name } = rows.use;
    for (;;) {
      try {
        return fetcher.poll(name, partition);
      } catch (error) {
        const range = unreadableRange(error, name, partition, position.offset);
        const policy = this.#policyFor(rows);
        if (range === undefined || policy === 'fail') throw error;
        this.#putAside(rows, policy, range.error, range.origin, range.records);
        position.offset = range.nextOffset;
        fetcher.assign(name, partition, range.nextOffset);
      }
    }
  }

  #policyFor({ use }: GlobalRowMap): RecordPolicy {
    return use.onRecordError ?? this.#options.onRecordError ?? 'fail';
  }

  #apply(rows: GlobalRowMap, partition: number, batch: FetchedBatch): void {
    rows.apply(batch, (error, at) => {
      const origin = rawRecord(batch, at, rows.use.name, partition);
      const failure = asRecordError(error, this.#place(rows), origin);
      const policy = this.#policyFor(rows);
      if (policy === 'fail' || failure.errorClass !== 'record') throw failure;
      this.#putAside(rows, policy, failure, origin, 1);
    });
  }

  #place({ use }: GlobalRowMap): FailurePlace {
    return { applicationId: this.#options.applicationId, stage: 'global tables', step: `globalTable(${use.name})` };
  }

  /** Skips a record or an unreadable batch. */
  #putAside(
    rows: GlobalRowMap,
    policy: Exclude<RecordPolicy, 'fail'>,
    failure: MillraceError,
    origin: InputOrigin,
    records: number,
  ): void {
    if (isDeadLetter(policy)) {
      rows.deadLettered += records;
      this.#write(policy, (limits) => deadLetterOf(failure, this.#place(rows), origin, this.#clock.now(), limits));
    } else rows.skipped += records;
    const { offset, partition, topic } = origin;
    (this.#options.logger ?? noLogger).warn(
      { code: failure.code, error: bareMessage(failure), topic, partition, offset, records },
      `record of a global table ${isDeadLetter(policy) ? 'sent to the dead-letter topic' : 'skipped'}`,
    );
  }

  /** If a letter cannot be written, the record would be lost, so the application ends. */
  #write(policy: DeadLetterPolicy, make: Parameters<Letters['send']>[1]): void {
    const writing = inSteps(this.#send(policy, make));
    if (!(writing instanceof Promise)) return;
    this.#writing.add(writing);
    void writing.then(() => this.#writing.delete(writing));
  }

  *#send(policy: DeadLetterPolicy, make: Parameters<Letters['send']>[1]): Steps<void> {
    try {
      yield* until(this.#letters.send(policy, make));
    } catch (error) {
      this.#failure ??= { error };
      if (this.#ready === undefined) this.#failed(error);
    }
  }
}
