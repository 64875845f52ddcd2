import { expect, test } from 'vitest';
import { murmur2, murmur2Text, partitionForKey, partitionForText } from './partitioner.ts';

const utf8 = new TextEncoder();

// The vectors of Kafka's own UtilsTest.
test.each([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
])('murmur2 of %s is that of Java', (text, hash) => {
  expect(murmur2(utf8.encode(text))).toBe(hash);
  expect(murmur2Text(text)).toBe(hash);
});

test('partitions are those of Java', () => {
  expect(partitionForKey(utf8.encode('foobar'), 6)).toBe((-790_332_482 & 0x7fff_ffff) % 6);
  expect(partitionForText('foobar', 6)).toBe(partitionForKey(utf8.encode('foobar'), 6));
  expect(partitionForKey(new Uint8Array(0), 1)).toBe(0);
});
