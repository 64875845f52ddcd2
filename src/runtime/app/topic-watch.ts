import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { TopicFacts, Transport } from '../../log/transport.ts';

/** A topic that is not what it was. */
export interface TopicChange {
  readonly before: TopicFacts;
  readonly now: TopicFacts;
}

/** Says which topics match patterns and were not there before. */
export interface FreshTopics {
  fresh(listed: readonly string[]): readonly string[];
}

/** How often topics are looked at, in ms: brokers are asked, the log of this machine is at hand. */
const BROKER_MS = 1000;
const LOCAL_MS = 500;
/** Thousands of topics are asked for less often: this long for each, in ms. */
const TOPIC_MS = 2;

/** Whether another topic has the name now. Where the log tells topics apart by their names only, nothing says so. */
export function isAnother({ before, now }: TopicChange): boolean {
  return before.id !== undefined && now.id !== undefined && before.id !== now.id;
}

/**
 * Notices changes to topics in use: partitions were added, or a topic was deleted and recreated. A deleted topic is
 * reported by the code that reads or writes it. Brokers learn of changes one after the other, so an answer may be older
 * than the previous one; such answers are ignored.
 */
export class TopicWatch {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #found: FreshTopics | undefined;
  readonly #changed: (changes: readonly TopicChange[], fresh: readonly string[]) => void;
  #everyMs: number;
  /** As the application takes them to be. */
  #known: ReadonlyMap<string, TopicFacts>;
  /** Topics that had one of the names before. */
  readonly #gone = new Set<string>();
  #cancel: Cancel | undefined;
  #stopped = false;

  /**
   * @param changed - Called with all that has changed since the topics were looked at last, and with those that were found.
   * @param found - Where topics are read by patterns: all are looked at then.
   */
  constructor(
    transport: Transport,
    clock: Clock,
    known: ReadonlyMap<string, TopicFacts>,
    changed: (changes: readonly TopicChange[], fresh: readonly string[]) => void,
    found?: FreshTopics,
  ) {
    this.#transport = transport;
    this.#clock = clock;
    this.#known = known;
    this.#found = found;
    this.#changed = changed;
    this.#everyMs = this.#pace(known.size);
    this.#later();
  }

  /** The application has looked its topics up again, and takes them to be so: perhaps not as they were seen here. */
  taken(known: ReadonlyMap<string, TopicFacts>): void {
    this.#known = known;
  }

  #pace(topics: number): number {
    return Math.max(this.#transport.kind === 'kafka' ? BROKER_MS : LOCAL_MS, topics * TOPIC_MS);
  }

  /** Whether a broker has not heard yet of what is known. Partitions are only ever added. */
  #isOlder(change: TopicChange): boolean {
    const { before, now } = change;
    if (isAnother(change)) return this.#gone.has(now.id as string);
    return now.id !== undefined && now.partitions < before.partitions;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #later(): void {
    if (!this.#stopped) this.#cancel = this.#clock.after(this.#everyMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    // While brokers cannot be asked others say so: those who read from them and write to them.
    const now = await this.#transport.topics.facts([...this.#known.keys()]).catch(() => undefined);
    const fresh = await this.#fresh();
    if (this.#stopped) return;
    const changes: TopicChange[] = [];
    for (const [name, facts] of now ?? []) {
      const before = this.#known.get(name);
      if (before === undefined) continue;
      const change = { before, now: facts };
      if (facts.partitions === before.partitions && !isAnother(change)) continue;
      if (!this.#isOlder(change)) changes.push(change);
    }
    for (const change of changes) if (isAnother(change)) this.#gone.add(change.before.id as string);
    if (changes.length > 0 || fresh.length > 0) {
      this.#known = new Map([...this.#known, ...changes.map((change) => [change.now.name, change.now] as const)]);
      this.#changed(changes, fresh);
    }
    this.#later();
  }

  async #fresh(): Promise<readonly string[]> {
    if (this.#found === undefined) return [];
    const listed = await this.#transport.topics.list().catch(() => []);
    this.#everyMs = this.#pace(Math.max(this.#known.size, listed.length));
    return this.#found.fresh(listed);
  }
}
