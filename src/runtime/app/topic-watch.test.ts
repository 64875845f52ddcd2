import { expect, test } from 'vitest';
import type { TopicFacts, Transport } from '../../log/transport.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { TopicWatch } from './topic-watch.ts';

/** A watch over one topic, which brokers describe as they like. */
function watch(partitions: number, id: string) {
  const clock = new VirtualClock();
  const fact = (count: number, of: string) => new Map([['t', { name: 't', partitions: count, id: of }]]);
  let answer: ReadonlyMap<string, TopicFacts> = fact(partitions, id);
  const transport = { kind: 'kafka', topics: { facts: async () => answer } } as unknown as Transport;
  const seen: (readonly [partitions: number, id: string | undefined])[] = [];
  const topics = new TopicWatch(transport, clock, answer, (changes) => {
    for (const { now } of changes) seen.push([now.partitions, now.id]);
  });
  const look = async (count: number, of: string): Promise<typeof seen> => {
    answer = fact(count, of);
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    return seen.splice(0);
  };
  return { look, taken: (count: number, of: string) => topics.taken(fact(count, of)) };
}

test('a change is told once', async () => {
  const { look } = watch(1, 'a');
  expect(await look(1, 'a')).toEqual([]);
  expect(await look(3, 'a')).toEqual([[3, 'a']]);
  expect(await look(3, 'a')).toEqual([]);
  expect(await look(2, 'b')).toEqual([[2, 'b']]);
});

test('a broker that has not heard of it yet does not undo it', async () => {
  const { look } = watch(1, 'a');
  expect(await look(3, 'a')).toEqual([[3, 'a']]);
  expect(await look(1, 'a'), 'partitions are only ever added').toEqual([]);
  expect(await look(1, 'b')).toEqual([[1, 'b']]);
  expect(await look(3, 'a'), 'the topic before').toEqual([]);
});

test('it is told again when the application took topics to be as they were before it', async () => {
  const { look, taken } = watch(1, 'a');
  expect(await look(3, 'a')).toEqual([[3, 'a']]);
  taken(1, 'a');
  expect(await look(3, 'a')).toEqual([[3, 'a']]);
  taken(3, 'a');
  expect(await look(2, 'b')).toEqual([[2, 'b']]);
  taken(3, 'a');
  expect(await look(2, 'b')).toEqual([[2, 'b']]);
});
