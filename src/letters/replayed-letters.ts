import type { Client } from '../client/client.ts';
import { nameHash } from '../log/name-hash.ts';
import { type BytesRecord, bytesOf, recordsBetween } from './read-letters.ts';

/**
 * Identifies a letter. The timestamp distinguishes it from a letter that an earlier topic of the same name had at the
 * same offset.
 */
type Mark = readonly [partition: number, offset: number, timestamp: number];

/** The content of a record of the topic. */
interface Said {
  /** The topic that the records of the letters were written to. */
  readonly to: string;
  readonly letters: readonly Mark[];
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
  #there = false;

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
    const from = await this.#client.offsets(this.#name, 'earliest');
    for await (const { value } of recordsBetween(this.#client, this.#name, { from })) {
      const said = saidIn(value);
      if (said !== undefined) for (const mark of said.letters) this.#add(mark, said.to);
    }
  }

  /** The topics that the record of a letter was written to. */
  to(letter: BytesRecord): readonly string[] {
    return [...(this.#known.get(markOf(letter).join()) ?? [])];
  }

  has(letter: BytesRecord, to: string): boolean {
    return this.#known.get(markOf(letter).join())?.has(to) === true;
  }

  /** Makes sure, before anything is replayed, that replays can be noted. */
  async prepare(): Promise<void> {
    if (this.#there) return;
    await this.#client.topics.create(this.#name, {
      partitions: 1,
      config: { cleanup: 'delete', retentionMs: -1 },
      ifMissing: true,
    });
    this.#there = true;
  }

  /** Notes that the records of these letters were written to a topic. */
  async note(letters: readonly BytesRecord[], to: string): Promise<void> {
    if (letters.length === 0) return;
    const said: Said = { to, letters: letters.map(markOf) };
    await this.#client.publish(bytesOf(this.#name), {
      key: null,
      value: new TextEncoder().encode(JSON.stringify(said)),
    });
    for (const mark of said.letters) this.#add(mark, to);
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
function saidIn(value: Uint8Array | null): Said | undefined {
  try {
    const said = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as Partial<Said> | null;
    const { letters, to } = said ?? {};
    if (typeof to !== 'string' || !Array.isArray(letters)) return undefined;
    return { to, letters: (letters as readonly unknown[]).filter(isMark) };
  } catch {
    return undefined;
  }
}

function isMark(value: unknown): value is Mark {
  return Array.isArray(value) && value.length === 3 && value.every((each) => Number.isSafeInteger(each));
}
