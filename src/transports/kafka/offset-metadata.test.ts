import { expect, it } from 'vitest';
import { nameHash } from '../../log/name-hash.ts';
import { OffsetNotes, readMetadata, withTopicId } from './offset-metadata.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAA-_';
const offset = { topic: 'clicks', partition: 0, offset: 5, topicId };

it('keeps the id of the topic, the topics of the group, and what the caller gives', () => {
  const notes = new OffsetNotes(['clicks', 'users', 'clicks']);
  const beside = [nameHash('clicks'), nameHash('users')];
  for (const metadata of [undefined, '', 'millrace counts', '+1;topic=2']) {
    const given = metadata === undefined ? offset : { ...offset, metadata };
    expect(readMetadata(notes.add(given).metadata ?? null)).toEqual({
      topicId,
      beside,
      ...(metadata === undefined ? {} : { metadata }),
    });
    // Of one partition is enough.
    expect(readMetadata(notes.add({ ...given, partition: 1 }).metadata ?? null).beside).toEqual([]);
    expect(readMetadata(withTopicId(given).metadata ?? null)).toEqual({
      topicId,
      beside: [],
      ...(metadata === undefined ? {} : { metadata }),
    });
  }
  expect(readMetadata(null)).toEqual({ beside: [] });
  expect(readMetadata('of another client')).toEqual({ metadata: 'of another client', beside: [] });
});

it('notes nothing for a group of one topic, and not more than a broker takes', () => {
  expect(new OffsetNotes(['clicks']).add(offset).metadata).toBe(`topic=${topicId}`);
  const many = new OffsetNotes(Array.from({ length: 5000 }, (_, at) => `topic-${at}`));
  expect(many.add(offset).metadata?.length).toBeLessThan(1000);
});
