import type { ModelBroker } from './model/broker.ts';
import type { Batch } from './model/partition-log.ts';
import { recordsOf, TopicReader } from './topic-reader.ts';

interface Written {
  readonly id: number;
  readonly partition: number;
  readonly offset: number;
}

/** Whether what is committed of the source and the copies of its records fit together, at any time. */
export class CommitCheck {
  readonly #broker: ModelBroker;
  readonly #next: number[] = [];
  /** Copies in transactions that are open, by their partition. */
  #open: (readonly [partition: number, batch: Batch])[] = [];
  readonly #copied = new Set<number>();
  readonly #written: Written[] = [];
  readonly #between: readonly (readonly [topic: string, reader: TopicReader])[];
  /** The last record of each partition between two stages. */
  readonly #last = new Map<string, number>();
  readonly #exact: boolean;
  #told = 0;

  constructor(broker: ModelBroker, exact: boolean) {
    this.#broker = broker;
    this.#exact = exact;
    this.#between = ['shuffle', 'other'].map((topic) => [topic, new TopicReader(broker.topics, topic)]);
  }

  /** An input is in the source, which the application is to copy. */
  wrote(input: Written): void {
    this.#written.push(input);
  }

  /** Whether offsets are committed behind all inputs, and behind all that was made of them for another stage. */
  get over(): boolean {
    const committed = this.#committed();
    const passed = (where: string, offset: number): boolean => offset < (committed.get(where) ?? 0);
    // Records without a key only tell of time.
    for (const [topic, reader] of this.#between)
      for (const { key, offset, partition } of reader.more())
        if (key !== '') this.#last.set(`${topic}/${partition}`, offset);
    return (
      this.#written.every(({ offset, partition }) => passed(`source/${partition}`, offset)) &&
      [...this.#last].every(([where, offset]) => passed(where, offset))
    );
  }

  /** What does not fit, in sentences. */
  problems(): string[] {
    const { groups, transactions } = this.#broker;
    const problems = groups.wentBack.slice(this.#told).map((what) => `offsets went back: ${what}`);
    this.#told = groups.wentBack.length;
    // Markers reach one partition after the other.
    if (transactions.ending) return problems;
    const committed = this.#committed();
    this.#look();
    for (const { id, offset, partition } of this.#written) {
      const passed = offset < (committed.get(`source/${partition}`) ?? 0);
      const where = `source/${partition} is committed up to ${committed.get(`source/${partition}`)}`;
      if (passed && !this.#copied.has(id)) problems.push(`lost: ${where}, and ${id} at ${offset} has no copy`);
      if (this.#exact && !passed && this.#copied.has(id))
        problems.push(`inconsistent offsets: ${where}, and ${id} at ${offset} has a copy`);
    }
    return problems;
  }

  /** Copies that are committed, also where another open transaction hides them still. */
  #look(): void {
    const partitions = this.#broker.topics.byName.get('copies')?.partitions ?? [];
    const looked = this.#open;
    for (const [partition, log] of partitions.entries()) {
      for (const batch of log.batches(this.#next[partition])) looked.push([partition, batch]);
      this.#next[partition] = log.end;
    }
    this.#open = [];
    for (const [partition, batch] of looked) {
      const fate = partitions[partition]?.fate(batch);
      if (fate === 'open') this.#open.push([partition, batch]);
      if (fate === 'committed') for (const { value } of recordsOf(batch, partition)) this.#copied.add(Number(value));
    }
  }

  #committed(): ReadonlyMap<string, number> {
    const { groups } = this.#broker;
    const offsets = groups.list().flatMap(({ groupId }) => groups.committed(groupId, null, false));
    return new Map(offsets.map(({ offset, partition, topic }) => [`${topic}/${partition}`, offset]));
  }
}
