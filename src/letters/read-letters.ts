import type { Client, PartitionOffsets } from '../client/client.ts';
import { type Letter, letterOf } from '../log/read-letter.ts';
import type { StreamRecord } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import { nullable } from '../serdes/nullable.ts';
import { type Topic, topic } from '../streams/topic.ts';

type Bytes = Uint8Array | null;

/** A record with its key and value as the bytes in the log. */
export type BytesRecord = StreamRecord<Bytes, Bytes>;

/** A dead letter with its place in the topic. */
export interface FoundLetter {
  readonly record: BytesRecord;
  readonly letter: Letter;
}

/** The position of a dead letter in its topic. */
export interface LetterPlace {
  readonly partition: number;
  readonly offset: number;
}

/** The part of a topic to read. */
export interface LetterRange {
  readonly from: PartitionOffsets;
  /** If omitted: up to the current end. */
  readonly until?: PartitionOffsets;
  readonly signal?: AbortSignal;
}

/** A topic whose keys and values are the bytes in the log. */
export function bytesOf(name: string): Topic<Bytes, Bytes> {
  return topic(name, { key: nullable(bytes()), value: nullable(bytes()) });
}

/** The records of a topic between two offsets. */
export async function* recordsBetween(
  client: Client,
  name: string,
  { from, signal, until }: LetterRange,
): AsyncGenerator<BytesRecord> {
  const ends = until ?? (await client.offsets(name, 'latest'));
  const partitions = [...ends.keys()].filter((each) => (from.get(each) ?? 0) < (ends.get(each) ?? 0));
  if (partitions.length === 0) return;
  const only = (offsets: PartitionOffsets): PartitionOffsets =>
    new Map(partitions.map((each) => [each, offsets.get(each) ?? 0]));
  yield* client.records(bytesOf(name), {
    from: { offsets: only(from) },
    until: { offsets: only(ends) },
    partitions,
    // Records that retention or another process has removed in the meantime do not matter, nor those of others that cannot be
    // read: with more headers than are ever written, or a timestamp beyond 2^53.
    outOfRange: 'earliest',
    onRecordError: 'skip',
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The dead letters between two offsets. Skips other records in the topic. */
export async function* lettersBetween(client: Client, name: string, range: LetterRange): AsyncGenerator<FoundLetter> {
  for await (const record of recordsBetween(client, name, range)) {
    const letter = letterOf(record);
    if (letter !== undefined) yield { record, letter };
  }
}

/** All dead letters currently in a topic. */
export async function* allLetters(client: Client, name: string, signal?: AbortSignal): AsyncGenerator<FoundLetter> {
  const from = await client.offsets(name, 'earliest');
  yield* lettersBetween(client, name, { from, ...(signal === undefined ? {} : { signal }) });
}

/** The dead letter at a position, or `undefined` if there is none. */
export async function letterAt(client: Client, name: string, place: LetterPlace): Promise<FoundLetter | undefined> {
  const { offset, partition } = place;
  const last = (await client.offsets(name, 'latest')).get(partition);
  if (last === undefined || offset < 0 || offset >= last) return undefined;
  const range = { from: new Map([[partition, offset]]), until: new Map([[partition, offset + 1]]) };
  for await (const found of lettersBetween(client, name, range)) if (found.record.offset === offset) return found;
  return undefined;
}
