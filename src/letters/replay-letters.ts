import type { Client } from '../client/client.ts';
import type { PublishRecord } from '../client/publish/published.ts';
import { MillraceError } from '../errors.ts';
import { bytesOf, type FoundLetter } from './read-letters.ts';
import { ReplayedLetters } from './replayed-letters.ts';

export interface ReplayOptions {
  /** A topic to write to, instead of the topics that the records came from. */
  readonly to?: string | undefined;
  /** Also replay letters that were replayed before. */
  readonly again?: boolean;
}

/** What happens to a letter: where its record goes, or why it is left out, as text that follows the letter's name. */
export type Fate =
  | { readonly to: string; readonly record: PublishRecord<Uint8Array | null, Uint8Array | null> }
  | { readonly leftOut: string; readonly code: 'ERR_NOT_REPLAYABLE' | 'ERR_REPLAYED' };

/** A letter whose record goes to a topic. */
export interface Sending {
  readonly found: FoundLetter;
  readonly fate: Extract<Fate, { readonly to: string }>;
}

/** Where the record of a letter was written, or why it was refused, or that somebody else has replayed it meanwhile. */
export type Sent =
  | { readonly partition: number; readonly offset: number }
  | { readonly refused: MillraceError }
  | { readonly leftOut: string; readonly code: 'ERR_REPLAYED' };

/**
 * Writes the records of dead letters to their topics again. Everything that replays letters uses this class, so each
 * letter is replayed once, no matter who asks. Letters that were left out stay in their topic and can be replayed
 * later.
 */
export class LetterReplay {
  readonly replayed: ReplayedLetters;
  readonly #client: Client;
  readonly #options: ReplayOptions;
  /** Number of partitions by topic; `undefined` for a deleted topic. */
  readonly #topics = new Map<string, number | undefined>();

  private constructor(client: Client, replayed: ReplayedLetters, options: ReplayOptions) {
    this.#client = client;
    this.replayed = replayed;
    this.#options = options;
  }

  static async of(client: Client, letters: string, options: ReplayOptions = {}): Promise<LetterReplay> {
    return new LetterReplay(client, await ReplayedLetters.read(client, letters), options);
  }

  async fateOf(found: FoundLetter): Promise<Fate> {
    const { letter } = found;
    const { to: elsewhere } = this.#options;
    const why = elsewhere === undefined ? letter.notReplayable : letter.notWhole;
    const to = elsewhere ?? letter.origin?.topic;
    if (why !== undefined || to === undefined) return { leftOut: why ?? '', code: 'ERR_NOT_REPLAYABLE' };
    const partitions = await this.#partitionsOf(to);
    if (partitions === undefined) return { leftOut: `of topic ${to}, which is gone`, code: 'ERR_NOT_REPLAYABLE' };
    if (this.#isDone(found, to)) return REPLAYED;
    // If the topic was recreated with fewer partitions, the key decides the partition.
    const home = letter.origin?.partition ?? partitions;
    const place = elsewhere === undefined && home < partitions ? { partition: home } : {};
    return { to, record: { ...letter.record, ...place } };
  }

  /**
   * Writes records in order and notes that they were replayed. A record that its topic refuses does not prevent the
   * others from being written. After any other failure, the records that were written are still noted.
   *
   * From the first call until {@link end} nobody else replays letters of the topic.
   *
   * @throws MillraceError `ERR_REPLAY_ACTIVE`
   */
  async send(sendings: readonly Sending[]): Promise<readonly Sent[]> {
    await this.replayed.prepare();
    // Somebody may have replayed them since their fate was decided.
    const isDone = ({ fate, found }: Sending): boolean => this.#isDone(found, fate.to);
    const sent = await Promise.allSettled(
      sendings.map(async (sending) => {
        if (isDone(sending)) return REPLAYED;
        return this.#client.publish(bytesOf(sending.fate.to), sending.fate.record);
      }),
    );
    const written = sendings.filter((_, at) => isWritten(sent[at]));
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

  /** Lets others replay. */
  end(): Promise<void> {
    return this.replayed.end();
  }

  #isDone({ record }: FoundLetter, to: string): boolean {
    return this.#options.again !== true && this.replayed.has(record, to);
  }

  async #partitionsOf(topic: string): Promise<number | undefined> {
    if (!this.#topics.has(topic)) this.#topics.set(topic, (await this.#client.topics.describe(topic))?.partitions);
    return this.#topics.get(topic);
  }
}

const REPLAYED = { leftOut: 'replayed before', code: 'ERR_REPLAYED' } as const;

const isWritten = (sent: PromiseSettledResult<Sent> | undefined): boolean =>
  sent?.status === 'fulfilled' && 'offset' in sent.value;

/** Whether the error concerns a single record that was certainly not written. */
function isRefusal(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.errorClass === 'record' && error.written !== 'unknown';
}
