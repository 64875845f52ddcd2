import type { Client } from '../client/client.ts';
import { MillraceError } from '../errors.ts';
import { nameHash } from '../log/name-hash.ts';
import { type BytesRecord, bytesOf, recordsBetween } from './read-letters.ts';
import { ReplayTurn } from './replay-turn.ts';

/**
 * Identifies a letter. The timestamp distinguishes it from a letter that an earlier topic of the same name had at the
 * same offset.
 */
type Mark = readonly [partition: number, offset: number, timestamp: number];

/** The content of a record of the topic. */
interface Said {
  /** The topic that the records of the letters were written to; none if there are no letters. */
  readonly to?: string;
  readonly letters?: readonly Mark[];
  /** The replay that says it. Earlier versions say none. */
  readonly replay?: string;
  /** Whether that replay has ended. */
  readonly over?: boolean;
}

const MAX_NAME = 249;
const SUFFIX = '.replayed';

/** The topic that records which letters of a dead-letter topic were replayed. */
export function replayedTopic(letters: string): string {
  if (letters.length + SUFFIX.length <= MAX_NAME) return letters + SUFFIX;
  const rest = `.${nameHash(letters)}${SUFFIX}`;
  return letters.slice(0, MAX_NAME - rest.length) + rest;
}

/** Which letters of a topic were replayed, and to which topics. Every replay sees what earlier replays noted. */
export class ReplayedLetters {
  readonly #client: Client;
  readonly #name: string;
  /** For each letter, the topics that its record was written to. */
  readonly #known = new Map<string, Set<string>>();
  readonly #turn = new ReplayTurn();
  #there = false;
  /** The offset after the last record that was read. */
  #next = 0;

  private constructor(client: Client, letters: string) {
    this.#client = client;
    this.#name = replayedTopic(letters);
  }

  /** Reads the current state. */
  static async read(client: Client, letters: string): Promise<ReplayedLetters> {
    const replayed = new ReplayedLetters(client, letters);
    await replayed.#read();
    return replayed;
  }

  async #read(): Promise<void> {
    if ((await this.#client.topics.describe(this.#name)) === undefined) return;
    this.#there = true;
    await this.#readOn();
  }

  async #readOn(): Promise<void> {
    const [first = 0] = (await this.#client.offsets(this.#name, 'earliest')).values();
    const from = new Map([[0, Math.max(first, this.#next)]]);
    for await (const { offset, timestamp, value } of recordsBetween(this.#client, this.#name, { from })) {
      this.#next = offset + 1;
      const { letters = [], over = false, replay, to } = saidIn(value);
      if (to !== undefined) for (const mark of letters) this.#add(mark, to);
      if (replay !== undefined) this.#turn.hear(replay, timestamp, over);
    }
  }

  /** The topics that the record of a letter was written to. */
  to(letter: BytesRecord): readonly string[] {
    return [...(this.#known.get(markOf(letter).join()) ?? [])];
  }

  has(letter: BytesRecord, to: string): boolean {
    return this.#known.get(markOf(letter).join())?.has(to) === true;
  }

  /**
   * Makes sure, before anything is replayed, that replays can be noted, and that nobody else replays these letters until
   * {@link end}. Afterwards everything is known that others have noted.
   *
   * @throws MillraceError `ERR_REPLAY_ACTIVE`
   */
  async prepare(): Promise<void> {
    if (!this.#there) {
      await this.#client.topics.create(this.#name, {
        partitions: 1,
        config: { cleanup: 'delete', retentionMs: -1 },
        ifMissing: true,
      });
      this.#there = true;
    }
    await this.#say({ replay: this.#turn.id });
    await this.#readOn();
    if (this.#turn.isOwn) return;
    throw new MillraceError(
      'fatal',
      'ERR_REPLAY_ACTIVE',
      `letters noted in ${this.#name} are being replayed by somebody else`,
      {
        hint: 'wait until that is done; a replay that was killed keeps others out for a minute',
      },
    );
  }

  /** Lets others replay. */
  async end(): Promise<void> {
    if (!this.#turn.isOwn) return;
    // If that cannot be said, they wait for a minute: what was replayed is noted already.
    await this.#say({ replay: this.#turn.id, over: true }).catch(() => undefined);
    this.#turn.hear(this.#turn.id, 0, true);
  }

  /** Notes that the records of these letters were written to a topic. */
  async note(letters: readonly BytesRecord[], to: string): Promise<void> {
    if (letters.length === 0) return;
    const marks = letters.map(markOf);
    await this.#say({ to, letters: marks, replay: this.#turn.id });
    for (const mark of marks) this.#add(mark, to);
  }

  async #say(said: Said): Promise<void> {
    const value = new TextEncoder().encode(JSON.stringify(said));
    await this.#client.publish(bytesOf(this.#name), { key: null, value });
  }

  #add(mark: Mark, to: string): void {
    const id = mark.join();
    const known = this.#known.get(id);
    if (known === undefined) this.#known.set(id, new Set([to]));
    else known.add(to);
  }
}

/** Forgets all replays of a topic whose letters have been deleted. */
export async function forgetReplayed(client: Client, letters: string): Promise<void> {
  const name = replayedTopic(letters);
  if ((await client.topics.describe(name)) === undefined) return;
  const ends = await client.offsets(name, 'latest');
  await client.topics.deleteRecords(
    name,
    Array.from(ends, ([partition, offset]) => ({ partition, offset })),
  );
}

function markOf({ offset, partition, timestamp }: BytesRecord): Mark {
  return [partition, offset, timestamp];
}

/** Others may have written to the topic, so records that are not notes are skipped. */
function saidIn(value: Uint8Array | null): Said {
  try {
    const said = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as Said | null;
    const { letters, over, replay, to } = said ?? {};
    return {
      ...(typeof to === 'string' && Array.isArray(letters) ? { to, letters: letters.filter(isMark) } : {}),
      ...(typeof replay === 'string' ? { replay, over: over === true } : {}),
    };
  } catch {
    return {};
  }
}

function isMark(value: unknown): value is Mark {
  return Array.isArray(value) && value.length === 3 && value.every((each) => Number.isSafeInteger(each));
}
