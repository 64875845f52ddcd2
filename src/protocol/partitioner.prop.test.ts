import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2, murmur2Text } from './partitioner.ts';

const require = createRequire(import.meta.url);
const kafkajsMurmur2: (key: Buffer) => number = require('kafkajs/src/producer/partitioners/default/murmur2');
const utf8 = new TextEncoder();

test('murmur2 equals that of kafkajs for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (key) => {
      expect(murmur2(key)).toBe(kafkajsMurmur2(Buffer.from(key)));
    }),
    { numRuns: 2000 },
  );
});

test('the hash of a text is the hash of its UTF-8 bytes', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(texts, (text) => {
      expect(murmur2Text(text)).toBe(murmur2(utf8.encode(text)));
    }),
    { numRuns: 2000 },
  );
});
