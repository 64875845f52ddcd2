import type { CommittedOffset } from '../../runtime/transport.ts';

/**
 * Brokers keep a text beside each committed offset. The id of the topic goes into it, in front of what the caller gives:
 * an offset of a topic that is gone must not be taken for one of the topic that has its name now.
 */
const WITH_TOPIC = /^topic=([\w-]{22})(?:;([^]*))?$/;

/** An offset as it is committed. */
export function withTopicId({ topicId, metadata, ...rest }: CommittedOffset): CommittedOffset {
  if (topicId === undefined) return metadata === undefined ? rest : { ...rest, metadata };
  return { ...rest, metadata: metadata === undefined ? `topic=${topicId}` : `topic=${topicId};${metadata}` };
}

/** What was committed beside an offset. Other clients, and this one before it knew ids, commit texts without an id. */
export function readMetadata(text: string | null): Pick<CommittedOffset, 'topicId' | 'metadata'> {
  if (text === null || text === '') return {};
  const [, topicId, metadata] = WITH_TOPIC.exec(text) ?? [];
  if (topicId === undefined) return { metadata: text };
  return metadata === undefined ? { topicId } : { topicId, metadata };
}
