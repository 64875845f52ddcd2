import type { Client } from '../client/client.ts';
import { MillraceError } from '../errors.ts';
import { type FoundLetter, type LetterPlace, letterAt, lettersBetween } from '../letters/read-letters.ts';
import { LetterReplay } from '../letters/replay-letters.ts';
import { ReplayedLetters } from '../letters/replayed-letters.ts';
import type { ShownLetter } from './live-data.ts';
import type { Shown } from './shown.ts';

/** Letters that are shown of a topic: the last ones. */
const MAX_LETTERS = 100;

/** A dead letter that is to be replayed. */
export interface ReplayRequest extends LetterPlace {
  readonly topic: string;
  /** Also when it was replayed before. */
  readonly again: boolean;
}

/** Dead letters, read from their topics when they are asked for. */
export class Letters {
  readonly topics: readonly string[];
  readonly #client: () => Promise<Client>;
  readonly #shown: Shown;
  /** The last replay. One follows the other, so that each sees what those before it have noted. */
  #replaying: Promise<unknown> = Promise.resolve();

  constructor(topics: readonly string[], client: () => Promise<Client>, shown: Shown) {
    this.topics = topics;
    this.#client = client;
    this.#shown = shown;
  }

  /** The last letters of a topic, newest first. */
  async list(name: string): Promise<readonly ShownLetter[]> {
    const client = await this.#client();
    if (!this.topics.includes(name) || (await client.topics.describe(name)) === undefined) return [];
    const replayed = await ReplayedLetters.read(client, name);
    const [first, last] = await Promise.all([client.offsets(name, 'earliest'), client.offsets(name, 'latest')]);
    const from = new Map<number, number>();
    for (const [partition, end] of last) {
      from.set(partition, Math.max(first.get(partition) ?? 0, end - MAX_LETTERS));
    }
    const letters: ShownLetter[] = [];
    for await (const found of lettersBetween(client, name, { from, until: last })) {
      letters.push(this.#show(found, replayed));
    }
    return letters.sort((left, right) => right.timestamp - left.timestamp).slice(0, MAX_LETTERS);
  }

  /**
   * Writes the record of a letter to the topic that it came from, with its key, value, headers, time and partition. The letter
   * stays where it is: a log does not forget.
   */
  replay(request: ReplayRequest): Promise<{ readonly topic: string } & LetterPlace> {
    const done = this.#replaying.then(() => this.#replay(request));
    this.#replaying = done.catch(() => undefined);
    return done;
  }

  async #replay(request: ReplayRequest): Promise<{ readonly topic: string } & LetterPlace> {
    const { again, offset, partition, topic: name } = request;
    const client = await this.#client();
    const found = this.topics.includes(name) ? await letterAt(client, name, request) : undefined;
    if (found === undefined) {
      throw new MillraceError('record', 'ERR_NO_LETTER', `there is no dead letter at ${name}/${partition}@${offset}`, {
        hint: 'it may have been removed: look at the list again',
      });
    }
    const letters = await LetterReplay.of(client, name, { again });
    const fate = await letters.fateOf(found);
    if ('leftOut' in fate) {
      if (fate.code === 'ERR_REPLAYED') throw replayedBefore();
      throw new MillraceError('record', 'ERR_NOT_REPLAYABLE', `a dead letter ${fate.leftOut} cannot be replayed`, {
        hint: 'publish a record of your own instead',
      });
    }
    try {
      const [sent] = await letters.send([{ found, fate }]);
      if (sent === undefined || 'leftOut' in sent) throw replayedBefore();
      if ('refused' in sent) throw sent.refused;
      return { ...sent, topic: fate.to };
    } finally {
      await letters.end();
    }
  }

  #show({ letter, record }: FoundLetter, replayed: ReplayedLetters): ShownLetter {
    const { code, message, notReplayable, origin, step = '' } = letter;
    return {
      ...this.#shown.record({ ...record, headers: letter.headers }, record.topic),
      code,
      message: this.#shown.reason(message),
      step,
      origin: origin && { topic: origin.topic, partition: origin.partition, offset: origin.offset },
      notReplayable,
      replayed: replayed.to(record),
    };
  }
}

function replayedBefore(): MillraceError {
  return new MillraceError('record', 'ERR_REPLAYED', 'the dead letter was replayed before', {
    hint: 'look at the list again; replay it once more if its record is to be there twice',
  });
}
