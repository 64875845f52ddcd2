import type { DeadLetterPolicy } from '../record-policy.ts';
import type { Clock } from '../topology/clock.ts';
import type { GlobalRows } from '../topology/global-source.ts';
import type { TopicUse } from '../topology/node.ts';
import type { AppOptions } from './app-options.ts';
import { deadLetterOf } from './dead-letter.ts';
import { rawRecord } from './decode.ts';
import { GlobalRowMap, type GlobalTableSnapshot } from './global-rows.ts';
import { LetterSender } from './letter-sender.ts';
import { noLogger } from './logger.ts';
import { asRecordError, isDeadLetter } from './record-failures.ts';
import type { FetchedBatch, Fetcher, TopicFacts, Transport } from './transport.ts';

/** A partition of a global table's topic, and how far it has been read. */
interface Position {
  readonly rows: GlobalRowMap;
  readonly partition: number;
  /** Where the partition ended when loading began. */
  readonly end: number;
  offset: number;
}

/**
 * The global tables of an application in this process: read to their end before the first task is built, and followed
 * after that.
 */
export class GlobalTables {
  readonly #options: Pick<AppOptions, 'applicationId' | 'onRecordError' | 'logger'>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  readonly #tables: ReadonlyMap<string, GlobalRowMap>;
  readonly #positions: Position[] = [];
  #fetcher: Fetcher | undefined;
  #ready: (() => void) | undefined;
  #letters: LetterSender | undefined;
  /** Dead letters under way; never rejects. */
  readonly #writing = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** @param failed - Following has failed: the rows would go stale without a word. */
  constructor(
    uses: readonly TopicUse[],
    options: Pick<AppOptions, 'applicationId' | 'onRecordError' | 'logger'>,
    clock: Clock,
    failed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#failed = failed;
    this.#tables = new Map(uses.map((use) => [use.name, new GlobalRowMap(use)]));
  }

  rows(topic: string): GlobalRows {
    return this.#tables.get(topic) as GlobalRows;
  }

  /** Reads all topics to where they end now, then follows them. */
  async load(transport: Transport, topics: ReadonlyMap<string, TopicFacts>): Promise<void> {
    if (this.#tables.size === 0) return;
    const fetcher = transport.fetcher({ onReady: () => this.#woken() });
    this.#fetcher = fetcher;
    this.#letters = new LetterSender(transport);
    for (const [topic, rows] of this.#tables) {
      const ends = await transport.offsets(topic, 'latest');
      for (const [partition, offset] of await transport.offsets(topic, 'earliest')) {
        this.#positions.push({ rows, partition, offset, end: ends.get(partition) ?? offset });
        fetcher.assign(topic, partition, offset, { topicId: topics.get(topic)?.id });
      }
    }
    while (this.#behind() > 0) {
      // The promise is made before polling, so that no wake-up is missed in between.
      const ready = new Promise<void>((resolve) => {
        this.#ready = resolve;
      });
      if (this.#read(fetcher) === 0) await ready;
    }
    this.#ready = undefined;
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  snapshot(): GlobalTableSnapshot[] {
    return Array.from(this.#tables.values(), (rows) => rows.snapshot());
  }

  /** What is still being loaded, in words. */
  waitingFor(): string | undefined {
    const behind = this.#behind();
    if (behind === 0) return undefined;
    return `global tables being loaded: ${behind} records of ${[...this.#tables.keys()].join(', ')} to go`;
  }

  async close(): Promise<void> {
    await this.#fetcher?.close();
    await Promise.all(this.#writing);
    await this.#letters?.close();
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

  /** Applies what is at hand. @returns the number of batches. */
  #read(fetcher: Fetcher): number {
    let batches = 0;
    for (const position of this.#positions) {
      const { partition, rows } = position;
      for (;;) {
        const batch = fetcher.poll(rows.use.name, partition);
        if (batch === undefined) break;
        this.#apply(rows, partition, batch);
        position.offset = batch.nextOffset;
        batches += 1;
      }
    }
    return batches;
  }

  #apply(rows: GlobalRowMap, partition: number, batch: FetchedBatch): void {
    const { applicationId, logger = noLogger, onRecordError = 'fail' } = this.#options;
    const { name } = rows.use;
    const place = { applicationId, stage: 'global tables', step: `globalTable(${name})` };
    rows.apply(batch, (error, at) => {
      const origin = rawRecord(batch, at, name, partition);
      const failure = asRecordError(error, place, origin);
      const policy = rows.use.onRecordError ?? onRecordError;
      if (policy === 'fail' || failure.errorClass !== 'record') throw failure;
      if (isDeadLetter(policy)) {
        rows.deadLettered += 1;
        this.#write(policy, (limits) => deadLetterOf(failure, place, origin, this.#clock.now(), limits));
      } else rows.skipped += 1;
      logger.warn(
        { code: failure.code, topic: name, partition, offset: origin.offset },
        `record of a global table ${isDeadLetter(policy) ? 'sent to the dead-letter topic' : 'skipped'}`,
      );
    });
  }

  /** A letter that cannot be written is a row that nobody would see: it ends the application. */
  #write(policy: DeadLetterPolicy, make: Parameters<LetterSender['send']>[1]): void {
    const writing: Promise<void> = (this.#letters as LetterSender)
      .send(policy, make)
      .catch((error: unknown) => {
        this.#failure ??= { error };
        if (this.#ready === undefined) this.#failed(error);
      })
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }
}
