import { expect, it } from 'vitest';
import { nameHash } from '../../log/name-hash.ts';
import { offsetMark, statelessMark } from '../../log/offset-mark.ts';
import { continueTrail } from '../../log/store-trail.ts';
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

it('takes less than brokers keep by default, with as many stores and outputs as there may be', () => {
  const names = (what: string, count: number) => Array.from({ length: count }, (_, at) => `${what}-${at}`);
  const notes = new OffsetNotes(names('topic', 5000));
  for (const count of [1, 10, 40, 60, 120, 200, 5000]) {
    const routes = { stores: names('store', count), apart: [], outputs: names('out', count), behind: new Map() };
    const behind = new Map(names('behind', count).map((name) => [name, routes.outputs]));
    const trails = [continueTrail(undefined, 1e15, routes), continueTrail(undefined, 0, { ...routes, behind })];
    const heard = ['', 'x'.repeat(1990), 'x'.repeat(5000)];
    const texts = trails.flatMap((trail) => [offsetMark(routes.stores, trail), ...heard.map(statelessMark(trail))]);
    for (const metadata of texts) {
      const given = metadata === undefined ? offset : { ...offset, metadata };
      expect(Buffer.byteLength(notes.add(given).metadata ?? '')).toBeLessThan(4096);
    }
  }
});
