import { nameHash } from '../../log/name-hash.ts';
import type { CommittedOffset } from '../../log/transport.ts';

/**
 * Brokers keep a text beside each committed offset. The id of the topic goes into it, in front of what the caller gives:
 * an offset of a topic that is gone must not be taken for one of the topic that has its name now. Behind it, in some, stand
 * the other topics of the group: brokers forget the offsets of a topic that is deleted, and so that the group has read it.
 */
const WITH_TOPIC = /^topic=([\w-]{22})(?:\+([\da-f.]+))?(?:;([^]*))?$/;

/** Topics that are noted: the text has room for 4,096 bytes, and is committed again and again. */
const MAX_NOTED = 60;

/** What was committed beside an offset. */
export interface OffsetNote extends Pick<CommittedOffset, 'topicId' | 'metadata'> {
  /** Hashes of topics that the group read then. */
  readonly beside: readonly string[];
}

/** Writes what is committed beside the offsets of a group. */
export class OffsetNotes {
  readonly #hashes: readonly string[];

  /** @param topics - Those that the group reads. */
  constructor(topics: Iterable<string>) {
    this.#hashes = Array.from(new Set(topics), nameHash).slice(0, MAX_NOTED);
  }

  /** An offset as it is committed. One partition for each topic has the note: all of them begin in one commit. */
  readonly add = (offset: CommittedOffset): CommittedOffset => {
    const noted = offset.partition === 0 && this.#hashes.length > 1;
    return withTopicId(offset, noted ? `+${this.#hashes.join('.')}` : '');
  };
}

/** An offset with the id of its topic, where that is known. */
export function withTopicId({ topicId, metadata, ...rest }: CommittedOffset, beside = ''): CommittedOffset {
  if (topicId === undefined) return metadata === undefined ? rest : { ...rest, metadata };
  const text = metadata === undefined ? '' : `;${metadata}`;
  return { ...rest, metadata: `topic=${topicId}${beside}${text}` };
}

/** What was committed beside an offset. Other clients, and this one before it knew ids, commit texts without an id. */
export function readMetadata(text: string | null): OffsetNote {
  if (text === null || text === '') return { beside: [] };
  const [, topicId, hashes, metadata] = WITH_TOPIC.exec(text) ?? [];
  if (topicId === undefined) return { metadata: text, beside: [] };
  const beside = hashes === undefined ? [] : hashes.split('.');
  return metadata === undefined ? { topicId, beside } : { topicId, metadata, beside };
}
