import type { Client } from '../client/client.ts';
import type { PublishRecord } from '../client/publish/published.ts';
import { MillraceError } from '../errors.ts';
import { bytesOf, type FoundLetter } from './read-letters.ts';
import { ReplayedLetters } from './replayed-letters.ts';

export interface ReplayOptions {
  /** Instead of the topics that the records came from. */
  readonly to?: string | undefined;
  /** Also letters that were replayed before. */
  readonly again?: boolean;
}

/** What becomes of a letter: where its record goes, or why it is left out, in words that follow the letter. */
export type Fate =
  | { readonly to: string; readonly record: PublishRecord<Uint8Array | null, Uint8Array | null> }
  | { readonly leftOut: string; readonly code: 'ERR_NOT_REPLAYABLE' | 'ERR_REPLAYED' };

/** A letter whose record goes to a topic. */
export interface Sending {
  readonly found: FoundLetter;
  readonly fate: Extract<Fate, { readonly to: string }>;
}

/** Where the record of a letter is now, or why it was refused. */
export type Sent = { readonly partition: number; readonly offset: number } | { readonly refused: MillraceError };

/**
 * Writes the records of dead letters to their topics again. All that replays letters does it by this, so each letter is replayed once,
 * whoever asks for it; what was left out stays where it is, and can be replayed later.
 */
export class LetterReplay {
  readonly replayed: ReplayedLetters;
  readonly #client: Client;
  readonly #options: ReplayOptions;
  /** Partitions by topic; `undefined` for one that is gone. */
  readonly #topics = new Map<string, number | undefined>();

  private constructor(client: Client, replayed: ReplayedLetters, options: ReplayOptions) {
    this.#client = client;
    this.replayed = replayed;
    this.#options = options;
  }

  static async of(client: Client, letters: string, options: ReplayOptions = {}): Promise<LetterReplay> {
    return new LetterReplay(client, await ReplayedLetters.read(client, letters), options);
  }

  async fateOf({ letter, record }: FoundLetter): Promise<Fate> {
    const { again = false, to: elsewhere } = this.#options;
    const why = elsewhere === undefined ? letter.notReplayable : letter.notWhole;
    const to = elsewhere ?? letter.origin?.topic;
    if (why !== undefined || to === undefined) return { leftOut: why ?? '', code: 'ERR_NOT_REPLAYABLE' };
    const partitions = await this.#partitionsOf(to);
    if (partitions === undefined) return { leftOut: `of topic ${to}, which is gone`, code: 'ERR_NOT_REPLAYABLE' };
    if (!again && this.replayed.has(record, to)) return { leftOut: 'replayed before', code: 'ERR_REPLAYED' };
    // A topic that was made anew with fewer partitions finds the place of the key by itself.
    const home = letter.origin?.partition ?? partitions;
    const place = elsewhere === undefined && home < partitions ? { partition: home } : {};
    return { to, record: { ...letter.record, ...place } };
  }

  /**
   * Writes records, in their order, and notes it. What a topic refuses does not keep the others from being written; after any other
   * failure it is noted which were written.
   */
  async send(sendings: readonly Sending[]): Promise<readonly Sent[]> {
    await this.replayed.prepare();
    const sent = await Promise.allSettled(
      sendings.map(({ fate }) => this.#client.publish(bytesOf(fate.to), fate.record)),
    );
    const written = sendings.filter((_, at) => sent[at]?.status === 'fulfilled');
    for (const to of new Set(written.map(({ fate }) => fate.to))) {
      const records = written.filter(({ fate }) => fate.to === to).map(({ found }) => found.record);
      await this.replayed.note(records, to);
    }
    return sent.map((each): Sent => {
      if (each.status === 'fulfilled') return each.value;
      if (isRefusal(each.reason)) return { refused: each.reason };
      throw each.reason;
    });
  }

  async #partitionsOf(topic: string): Promise<number | undefined> {
    if (!this.#topics.has(topic)) this.#topics.set(topic, (await this.#client.topics.describe(topic))?.partitions);
    return this.#topics.get(topic);
  }
}

/** Whether it is about one record only, which is certainly not written. */
function isRefusal(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.errorClass === 'record' && error.written !== 'unknown';
}
