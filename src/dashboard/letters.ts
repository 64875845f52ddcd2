import type { Client } from '../client/client.ts';
import { MillraceError } from '../errors.ts';
import type { Headers, StreamRecord } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import { nullable } from '../serdes/nullable.ts';
import { topic } from '../streams/topic.ts';
import type { ShownLetter } from './live-data.ts';
import type { Shown } from './shown.ts';

/** Letters that are shown of a topic: the last ones. */
const MAX_LETTERS = 100;

type Letter = StreamRecord<Uint8Array | null, Uint8Array | null>;

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
    for await (const letter of found) letters.push(this.#show(letter));
    return letters.sort((left, right) => right.timestamp - left.timestamp).slice(0, MAX_LETTERS);
  }

  /**
   * Writes the record of a letter to the topic that it came from, with its key, value, headers, time and partition. The letter
   * stays where it is: a log does not forget.
   */
  async replay({ offset, partition, topic: name }: LetterPlace): Promise<{ readonly offset: number }> {
    const letter = this.topics.includes(name) ? await this.#read({ topic: name, partition, offset }) : undefined;
    if (letter === undefined) {
      throw new MillraceError('record', 'ERR_NO_LETTER', `there is no dead letter at ${name}/${partition}@${offset}`, {
        hint: 'it may have been removed: look at the list again',
      });
    }
    const why = notReplayable(letter.headers);
    if (why !== undefined) {
      throw new MillraceError('record', 'ERR_NOT_REPLAYABLE', `the dead letter cannot be replayed: ${why}`, {
        hint: 'publish a record of your own instead',
      });
    }
    const origin = originOf(letter.headers) as LetterPlace;
    const client = await this.#client();
    return client.publish(raw(origin.topic), {
      key: letter.key,
      value: letter.value,
      timestamp: Number(textHeader(letter.headers, 'origin.timestamp') ?? letter.timestamp),
      headers: letter.headers.filter(([header]) => !header.startsWith('millrace.')),
      partition: origin.partition,
    });
  }

  async #read({ offset, partition, topic: name }: LetterPlace): Promise<Letter | undefined> {
    const client = await this.#client();
    const last = (await client.offsets(name, 'latest')).get(partition);
    if (last === undefined || offset >= last || offset < 0) return undefined;
    const one = { partitions: [partition], from: { offset }, until: { offset: offset + 1 } } as const;
    for await (const letter of client.records(raw(name), one)) if (letter.offset === offset) return letter;
    return undefined;
  }

  #show(letter: Letter): ShownLetter {
    const { headers } = letter;
    const shown = this.#shown.record(letter, letter.topic);
    return {
      ...shown,
      headers: shown.headers.filter(({ name }) => !name.startsWith('millrace.')),
      code: textHeader(headers, 'error.code') ?? '',
      message: this.#shown.reason(textHeader(headers, 'error.message') ?? ''),
      step: textHeader(headers, 'step') ?? '',
      origin: originOf(headers),
      notReplayable: notReplayable(headers),
    };
  }
}

function raw(name: string) {
  return topic(name, { key: nullable(bytes()), value: nullable(bytes()) });
}

function notReplayable(headers: Headers): string | undefined {
  const applied = textHeader(headers, 'applied');
  if (applied !== undefined) return `${applied} has counted it already`;
  if (originOf(headers) === undefined) return 'it is a row that a step had kept, and no record of a topic';
  if (textHeader(headers, 'origin.last-offset') !== undefined) return 'it is a whole batch that cannot be read';
  const cut = headers.some(([name]) => /^millrace\.origin\.(value\.size|key\.size|headers\.left-out)$/.test(name));
  return cut ? 'it was too large for its topic, and is not whole' : undefined;
}

function originOf(headers: Headers): LetterPlace | undefined {
  const topic = textHeader(headers, 'origin.topic');
  const partition = Number(textHeader(headers, 'origin.partition') ?? Number.NaN);
  const offset = Number(textHeader(headers, 'origin.offset') ?? Number.NaN);
  if (topic === undefined || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return undefined;
  return { topic, partition, offset };
}

/** The last one of a name is that of Millrace: what came before it was written by whoever made the record. */
function textHeader(headers: Headers, name: string): string | undefined {
  const value = headers.findLast(([header]) => header === `millrace.${name}`)?.[1];
  return value === undefined || value === null ? undefined : new TextDecoder().decode(value.subarray(0, 2000));
}
