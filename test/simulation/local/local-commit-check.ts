import type { Reader } from '../topic-reader.ts';
import type { Side } from './side.ts';

interface Written {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
}

/** Whether what is committed of the source and the copies of its records fit together, at any time. */
export class LocalCommitCheck {
  readonly #side: Side;
  readonly #source: Reader;
  readonly #copies: Reader;
  readonly #between: readonly (readonly [topic: string, reader: Reader])[];
  readonly #written: Written[] = [];
  readonly #copied = new Set<string>();
  /** The last record of each partition between two stages. */
  readonly #last = new Map<string, number>();
  readonly #committedBefore = new Map<number, number>();

  constructor(side: Side) {
    this.#side = side;
    this.#source = side.reader('source');
    this.#copies = side.reader('copies');
    this.#between = ['shuffle', 'other'].map((topic) => [topic, side.reader(topic)]);
  }

  /** Whether offsets are committed behind all inputs, and behind all that was made of them for another stage. */
  get over(): boolean {
    const source = this.#side.committed('source');
    if (this.#written.some(({ offset, partition }) => offset >= (source.get(partition) ?? 0))) return false;
    return this.#between.every(([topic, reader]) => {
      // Records without a key only tell of time.
      for (const { key, offset, partition } of reader.more())
        if (key !== '') this.#last.set(`${topic}/${partition}`, offset);
      const committed = this.#side.committed(topic);
      const passed = (partition: number, end: number): boolean => (this.#last.get(`${topic}/${partition}`) ?? -1) < end;
      const partitions = [...this.#last.keys()].filter((place) => place.startsWith(`${topic}/`));
      return partitions.every((place) => {
        const partition = Number(place.slice(topic.length + 1));
        return passed(partition, committed.get(partition) ?? 0);
      });
    });
  }

  /** What does not fit, in sentences. */
  problems(): string[] {
    const problems: string[] = [];
    for (const { offset, partition, value } of this.#source.more())
      this.#written.push({ id: value.toString(), partition, offset });
    for (const { value } of this.#copies.more()) this.#copied.add(value.toString());
    const committed = this.#side.committed('source');
    for (const [partition, offset] of committed) {
      const before = this.#committedBefore.get(partition) ?? 0;
      if (offset < before) problems.push(`offsets went back: source/${partition} from ${before} to ${offset}`);
      this.#committedBefore.set(partition, offset);
    }
    for (const { id, offset, partition } of this.#written) {
      const end = committed.get(partition) ?? 0;
      const where = `source/${partition} is committed up to ${end}`;
      if (offset < end && !this.#copied.has(id)) problems.push(`lost: ${where}, and ${id} at ${offset} has no copy`);
      if (offset >= end && this.#copied.has(id))
        problems.push(`inconsistent offsets: ${where}, and ${id} at ${offset} has a copy`);
    }
    return problems;
  }
}
