import { decodeBatch } from '../../src/protocol/batch-decoder.ts';
import type { Batch } from './model/partition-log.ts';
import type { ModelTopics } from './model/topics.ts';
import type { Rows } from './programs.ts';

/** A record as readers of committed ones find it. */
export interface Found {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer;
}

/** The records of a batch. */
export function* recordsOf({ bytes, header }: Batch, partition: number): Generator<Found> {
  const columns = decodeBatch(bytes, 0);
  const part = (start: number, length: number): Buffer =>
    Buffer.from(columns.bytes.subarray(start, start + Math.max(length, 0)));
  for (let at = 0; at < columns.count; at++) {
    const offset = header.baseOffset + (columns.offsetDelta[at] as number);
    const key = part(columns.keyStart[at] as number, columns.keyLength[at] as number).toString();
    const value = part(columns.valueStart[at] as number, columns.valueLength[at] as number);
    yield { partition, offset, key, value };
  }
}

/** Reads a topic again and again, each time from where it has come to. */
export interface Reader {
  /** What has come since, partition by partition. */
  more(): Iterable<Found>;
}

/** Reads a topic of the model. */
export class TopicReader implements Reader {
  readonly #topics: ModelTopics;
  readonly #topic: string;
  readonly #next: number[] = [];

  constructor(topics: ModelTopics, topic: string) {
    this.#topics = topics;
    this.#topic = topic;
  }

  *more(): Generator<Found> {
    const partitions = this.#topics.byName.get(this.#topic)?.partitions ?? [];
    for (const [partition, log] of partitions.entries()) {
      for (const batch of log.committed(this.#next[partition])) yield* recordsOf(batch, partition);
      this.#next[partition] = log.stable;
    }
  }
}

/** The rows that a program is to write, and which of them are there. */
export class RowCheck {
  readonly #wanted: Rows;
  /** The most that may be there. */
  readonly #allowed: Rows['values'];
  readonly #reader: Reader;
  readonly #rows = new Map<string, number[]>();
  readonly #missing: Set<string>;
  readonly #mayBeLate: () => boolean;

  /**
   * @param allowed - The most that may be there.
   * @param mayBeLate - Whether rows of a table may come after newer ones, from a process that is gone.
   */
  constructor(
    reader: Reader,
    wanted: Rows,
    allowed: Rows['values'] = wanted.values,
    mayBeLate: () => boolean = () => false,
  ) {
    this.#mayBeLate = mayBeLate;
    this.#wanted = wanted;
    this.#allowed = allowed;
    this.#reader = reader;
    this.#missing = new Set(wanted.values.keys());
  }

  /** What is there, by name, as of now. */
  rows(): ReadonlyMap<string, readonly number[]> {
    const { counts, named, values } = this.#wanted;
    for (const { key, value } of this.#reader.more()) {
      const [name, number] = named === 'value' ? [value.toString(), 1] : [key, value.readInt32BE(0)];
      const before = this.#rows.get(name);
      if (counts === 'each' && before !== undefined) before.push(number);
      else this.#rows.set(name, [this.#mayBeLate() ? Math.max(number, before?.[0] ?? 0) : number]);
      // Of a table the last row is waited for.
      if (counts === 'last' && (this.#rows.get(name)?.[0] ?? 0) < (values.get(name) ?? 0)) this.#missing.add(name);
      else this.#missing.delete(name);
    }
    return this.#rows;
  }

  /** In sentences what is not there yet. */
  missing(): string[] {
    this.rows();
    const { topic, values } = this.#wanted;
    return Array.from(this.#missing, (name) => `lost: ${topic} has no ${name} = ${values.get(name)}`);
  }

  /**
   * What is there and should not be, or is not as it should be.
   *
   * @param exact - Whether no row may come twice, nor be too large.
   */
  wrong(exact: boolean): string[] {
    const { topic, values } = this.#wanted;
    return Array.from(this.rows()).flatMap(([name, found]) => {
      const value = values.get(name) ?? 0;
      const most = this.#allowed.get(name);
      if (most === undefined) return [`invented: ${topic} has ${name} = ${found.join(', ')}`];
      if (exact && found.length > 1) return [`twice: ${topic} has ${name} ${found.length} times: ${found.join(', ')}`];
      const wrong = found.filter((each) => each < value || (exact && each > most));
      return wrong.length === 0
        ? []
        : [`wrong: ${topic} has ${name} = ${wrong.join(', ')}, not ${value}${most === value ? '' : ` to ${most}`}`];
    });
  }
}
