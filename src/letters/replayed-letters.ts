import type { Client } from '../client/client.ts';
import { nameHash } from '../log/name-hash.ts';
import { type BytesRecord, bytesOf, recordsBetween } from './read-letters.ts';

/** A letter, told from all others: also from one that another topic of the name had at its offset. */
type Mark = readonly [partition: number, offset: number, timestamp: number];

/** What a record of the topic says. */
interface Said {
  /** The topic that the records of the letters were written to. */
  readonly to: string;
  readonly letters: readonly Mark[];
}

const MAX_NAME = 249;
const SUFFIX = '.replayed';

/** The topic that says which letters of a dead-letter topic were replayed. */
export function replayedTopic(letters: string): string {
  if (letters.length + SUFFIX.length <= MAX_NAME) return letters + SUFFIX;
  const rest = `.${nameHash(letters)}${SUFFIX}`;
  return letters.slice(0, MAX_NAME - rest.length) + rest;
}

/** Which letters of a topic were replayed, and whither: what one replay notes, all others know. */
export class ReplayedLetters {
  readonly #client: Client;
  readonly #name: string;
  /** Topics that the record of a letter was written to. */
  readonly #known = new Map<string, Set<string>>();
  #there = false;

  private constructor(client: Client, letters: string) {
    this.#client = client;
    this.#name = replayedTopic(letters);
  }

  /** As it is known now. */
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

  /** Makes sure that it can be noted what is replayed, before anything is. */
  async prepare(): Promise<void> {
    if (this.#there) return;
    await this.#client.topics.create(this.#name, {
      partitions: 1,
      config: { cleanup: 'delete', retentionMs: -1 },
      ifMissing: true,
    });
    this.#there = true;
  }

  /** The records of these letters were written to a topic. */
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

/** There are no letters any more, so none of them was replayed. */
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

/** Others may have written to the topic: what is no note is passed over. */
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
