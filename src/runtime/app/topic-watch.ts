import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { TopicFacts, Transport } from '../../log/transport.ts';

/** A topic that is not what it was. */
export interface TopicChange {
  readonly before: TopicFacts;
  readonly now: TopicFacts;
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
 * Notices that partitions were added to topics in use, and that a topic was deleted and created again. A topic that is gone is
 * left to those who read and write it.
 */
export class TopicWatch {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #changed: (changes: readonly TopicChange[]) => void;
  readonly #everyMs: number;
  #known: ReadonlyMap<string, TopicFacts>;
  #cancel: Cancel | undefined;
  #stopped = false;

  /** @param changed - Called with all that has changed since the topics were looked at last. */
  constructor(
    transport: Transport,
    clock: Clock,
    known: ReadonlyMap<string, TopicFacts>,
    changed: (changes: readonly TopicChange[]) => void,
  ) {
    this.#transport = transport;
    this.#clock = clock;
    this.#known = known;
    this.#changed = changed;
    this.#everyMs = Math.max(transport.kind === 'kafka' ? BROKER_MS : LOCAL_MS, known.size * TOPIC_MS);
    this.#later();
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
    if (this.#stopped) return;
    const changes: TopicChange[] = [];
    for (const [name, facts] of now ?? []) {
      const before = this.#known.get(name) as TopicFacts;
      const change = { before, now: facts };
      if (facts.partitions !== before.partitions || isAnother(change)) changes.push(change);
    }
    if (changes.length > 0) {
      this.#known = new Map([...this.#known, ...changes.map((change) => [change.now.name, change.now] as const)]);
      this.#changed(changes);
    }
    this.#later();
  }
}
