import type { Client } from '../client/client.ts';
import { MillraceError } from '../errors.ts';
import { type Letter, letterOf } from '../log/read-letter.ts';
import type { StreamRecord } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import { nullable } from '../serdes/nullable.ts';
import { topic } from '../streams/topic.ts';
import type { ShownLetter } from './live-data.ts';
import type { Shown } from './shown.ts';

/** Letters that are shown of a topic: the last ones. */
const MAX_LETTERS = 100;

type Raw = StreamRecord<Uint8Array | null, Uint8Array | null>;

interface Found {
  readonly record: Raw;
  readonly letter: Letter;
}

/** Where a dead letter is. */
export interface LetterPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Dead letters, read from their topics when they are asked for. */
export class Letters {
  readonly topics: readonly string[];
  readonly #client: () => Promise<Client>;
  readonly #shown: Shown;

  constructor(topics: readonly string[], client: () => Promise<Client>, shown: Shown) {
    this.topics = topics;
    this.#client = client;
    this.#shown = shown;
  }

  /** The last letters of a topic, newest first. */
  async list(name: string): Promise<readonly ShownLetter[]> {
    const client = await this.#client();
    if (!this.topics.includes(name) || (await client.topics.describe(name)) === undefined) return [];
    const [first, last] = await Promise.all([client.offsets(name, 'earliest'), client.offsets(name, 'latest')]);
    const offsets = new Map<number, number>();
    for (const [partition, end] of last) {
      offsets.set(partition, Math.max(first.get(partition) ?? 0, end - MAX_LETTERS));
    }
    const letters: ShownLetter[] = [];
    const found = client.records(raw(name), { from: { offsets }, until: 'end', outOfRange: 'earliest' });
    for await (const record of found) {
      const letter = letterOf(record);
      if (letter !== undefined) letters.push(this.#show({ record, letter }));
    }
    return letters.sort((left, right) => right.timestamp - left.timestamp).slice(0, MAX_LETTERS);
  }

  /**
   * Writes the record of a letter to the topic that it came from, with its key, value, headers, time and partition. The letter
   * stays where it is: a log does not forget.
   */
  async replay({ offset, partition, topic: name }: LetterPlace): Promise<{ readonly offset: number }> {
    const found = this.topics.includes(name) ? await this.#read({ topic: name, partition, offset }) : undefined;
    if (found === undefined) {
      throw new MillraceError('record', 'ERR_NO_LETTER', `there is no dead letter at ${name}/${partition}@${offset}`, {
        hint: 'it may have been removed: look at the list again',
      });
    }
    const { notReplayable, origin, record } = found.letter;
    if (notReplayable !== undefined || origin === undefined) {
      throw new MillraceError('record', 'ERR_NOT_REPLAYABLE', `a dead letter ${notReplayable} cannot be replayed`, {
        hint: 'publish a record of your own instead',
      });
    }
    const client = await this.#client();
    return client.publish(raw(origin.topic), { ...record, partition: origin.partition });
  }

  async #read({ offset, partition, topic: name }: LetterPlace): Promise<Found | undefined> {
    const client = await this.#client();
    const last = (await client.offsets(name, 'latest')).get(partition);
    if (last === undefined || offset >= last || offset < 0) return undefined;
    const one = { partitions: [partition], from: { offset }, until: { offset: offset + 1 } } as const;
    for await (const record of client.records(raw(name), one)) {
      if (record.offset !== offset) continue;
      const letter = letterOf(record);
      return letter && { record, letter };
    }
    return undefined;
  }

  #show({ letter, record }: Found): ShownLetter {
    const { code, message, notReplayable, origin, step = '' } = letter;
    return {
      ...this.#shown.record({ ...record, headers: letter.headers }, record.topic),
      code,
      message: this.#shown.reason(message),
      step,
      origin: origin && { topic: origin.topic, partition: origin.partition, offset: origin.offset },
      notReplayable,
    };
  }
}

function raw(name: string) {
  return topic(name, { key: nullable(bytes()), value: nullable(bytes()) });
}
