import { nameHash } from '../../log/name-hash.ts';
import type { CommittedOffset } from '../../log/transport.ts';

/**
 * Brokers keep a text with each committed offset. It contains the id of the topic, before the metadata of the caller:
 * an offset of a deleted topic must not be mistaken for one of the topic that has its name now. Some also list the
 * other topics of the group, because brokers forget the offsets of a deleted topic and thereby that the group has read
 * it.
 */
const WITH_TOPIC = /^topic=([\w-]{22})(?:\+([\da-f.]+))?(?:;([^]*))?$/;

/** The most topics to note: the text is limited to 4,096 bytes and is committed repeatedly. */
const MAX_NOTED = 60;

/** The metadata of an offset. */
export interface OffsetNote extends Pick<CommittedOffset, 'topicId' | 'metadata'> {
  /** Hashes of topics that the group read then. */
  readonly beside: readonly string[];
}

/** Writes the metadata for the offsets of a group. */
export class OffsetNotes {
  readonly #hashes: readonly string[];

  /** @param topics - The topics that the group reads. */
  constructor(topics: Iterable<string>) {
    this.#hashes = Array.from(new Set(topics), nameHash).slice(0, MAX_NOTED);
  }

  /** An offset with its metadata. One partition of each topic has the note, because all of them start in one commit. */
  readonly add = (offset: CommittedOffset): CommittedOffset => {
    const noted = offset.partition === 0 && this.#hashes.length > 1;
    return withTopicId(offset, noted ? `+${this.#hashes.join('.')}` : '');
  };
}

/** An offset with the id of its topic, if known. */
export function withTopicId({ topicId, metadata, ...rest }: CommittedOffset, beside = ''): CommittedOffset {
  if (topicId === undefined) return metadata === undefined ? rest : { ...rest, metadata };
  const text = metadata === undefined ? '' : `;${metadata}`;
  return { ...rest, metadata: `topic=${topicId}${beside}${text}` };
}

/** Parses the metadata of an offset. Other clients, and older versions of this one, commit texts without an id. */
export function readMetadata(text: string | null): OffsetNote {
  if (text === null || text === '') return { beside: [] };
  const [, topicId, hashes, metadata] = WITH_TOPIC.exec(text) ?? [];
  if (topicId === undefined) return { metadata: text, beside: [] };
  const beside = hashes === undefined ? [] : hashes.split('.');
  return metadata === undefined ? { topicId, beside } : { topicId, metadata, beside };
}
