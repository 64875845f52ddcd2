import { beforeAll, describe, expect, test } from 'vitest';
import { nodeZstd, wasmZstd, zstdCodec } from './codec-zstd.ts';
import { type Codec, type Compression, compress, decompress, ensureCodec } from './compression.ts';
import { Malformed, OutputTooLarge } from './corrupt.ts';

const MAX = 64 * 1024 * 1024;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const of = (...parts: readonly (string | readonly number[] | Uint8Array)[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))),
  );

beforeAll(() => Promise.all((['snappy', 'lz4', 'zstd'] as const).map(ensureCodec)));

describe('snappy', () => {
  const header = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];
  const literal = (word: string): Uint8Array => of([word.length, (word.length - 1) << 2], word);
  const block = (word: string): Uint8Array => of([0, 0, 0, word.length + 2], literal(word));

  test.each<[string, Uint8Array, string]>([
    ['one block as snappy-java frames it', of(header, block('PLAINDATA')), 'PLAINDATA'],
    ['several blocks', of(header, block('first '), block('second')), 'first second'],
    ['frames one after the other', of(header, block('first '), header, block('second')), 'first second'],
    ['a frame without blocks', of(header), ''],
    ['a raw block, as librdkafka sends it', literal('PLAINDATA'), 'PLAINDATA'],
    ['a pattern that overlaps itself', of([9, 0x08], 'abc', [0x09, 3]), 'abcabcabc'],
    ['copies with offsets of two and four bytes', of([9, 0x08], 'abc', [0x0a, 3, 0, 0x0b, 6, 0, 0, 0]), 'abcabcabc'],
    ['a literal with a length of two bytes', of([3, 0xf4, 2, 0], 'abc'), 'abc'],
  ])('reads %s', (_title, bytes, expected) => {
    expect(text(decompress('snappy', bytes, MAX))).toBe(expected);
  });

  test('writes the framing of snappy-java, 32 KiB a block', () => {
    const packed = compress('snappy', new Uint8Array(70_000));
    expect([...packed.subarray(0, 16)]).toEqual(header);
    const view = new DataView(packed.buffer);
    const lengths: number[] = [];
    for (let at = 16; at < packed.length; at += 4 + view.getInt32(at)) {
      lengths.push(decompress('snappy', packed.subarray(at + 4, at + 4 + view.getInt32(at)), MAX).length);
    }
    expect(lengths).toEqual([32_768, 32_768, 4464]);
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a length of 4 GiB', of([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
    ['an endless length', new Uint8Array(9).fill(0xff)],
    ['a literal with a negative length', of([9, 0xfc, 0xf9, 0xff, 0xff, 0xff], 'abc')],
    ['a copy from before the beginning', of([9, 0x08], 'abc', [0x09, 4])],
    ['less than declared', of([10, 0x08], 'abc', [0x09, 3])],
    ['more than declared', of([8, 0x08], 'abc', [0x09, 3])],
    ['a cut-off element', of([9, 0x08], 'abc', [0x0a, 3])],
    ['a block that does not fit its frame', of(header, [0, 0, 0, 90], 'abc')],
    ['a block of negative size', of(header, [0xff, 0xff, 0xff, 0xff], 'abc')],
    ['a frame of a newer version', of(header.slice(0, 15), [2], block('abc'))],
  ])('refuses %s', (_title, bytes) => {
    expect(() => decompress('snappy', bytes, MAX)).toThrow(Malformed);
  });
});

describe('lz4', () => {
  test('the size is found exactly where the bound is too loose', () => {
    // 20 blocks of 64 KiB or 4 MiB that might each be full, but are not.
    const input = new Uint8Array(300_000).map((_, i) => (i * i) >>> 7);
    const packed = compress('lz4', input);
    expect(decompress('lz4', packed, input.length).length).toBe(input.length);
    expect(() => decompress('lz4', packed, input.length - 1)).toThrow(OutputTooLarge);
  });

  test('a block that is stored as it is', () => {
    const frame = of([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 3, 0, 0, 0x80], 'abc', [0, 0, 0, 0]);
    expect(text(decompress('lz4', frame, 3))).toBe('abc');
    expect(() => decompress('lz4', frame, 2)).toThrow(OutputTooLarge);
    expect(() => decompress('lz4', frame.subarray(0, 13), MAX)).toThrow(Malformed);
    expect(() => decompress('lz4', frame.subarray(0, 14), MAX)).toThrow(Malformed);
    expect(() => decompress('lz4', frame.subarray(1), MAX)).toThrow(Malformed);
  });
});

describe('zstd', async () => {
  const native = await nodeZstd();
  const libraries: readonly (readonly [string, Codec])[] = [
    ['WebAssembly', zstdCodec(await wasmZstd())],
    ...(native === undefined ? [] : [['Node', zstdCodec(native)] as const]),
  ];
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  const blockHeader = (last: boolean, type: number, size: number): number[] => {
    const word = (last ? 1 : 0) | (type << 1) | (size << 3);
    return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff];
  };
  const RAW = 0;
  const RLE = 1;
  /** A frame as a streaming writer makes it: a window of 1 MiB, and no word of its size. */
  const streamed = of(magic, [0x00, 0x50], blockHeader(false, RAW, 3), 'abc', blockHeader(true, RLE, 4), 'd');

  describe.each(libraries)('%s', (_name, codec) => {
    test('a frame that does not declare its size', () => {
      expect(text(codec.decompress(streamed, MAX))).toBe('abcdddd');
      expect(text(codec.decompress(streamed, 7))).toBe('abcdddd');
      expect(() => codec.decompress(streamed, 6)).toThrow(OutputTooLarge);
    });

    test('compressed blocks in a frame that does not declare its size', () => {
      const input = Buffer.from('the same words, and the same words again; '.repeat(3000));
      const declared = codec.compress(input); // magic, descriptor, (window,) size, blocks
      expect(declared[4]! >>> 5, 'a single segment with a size of four bytes').toBe(5);
      const undeclared = of(magic, [0x00, 0x50], declared.subarray(9));
      expect(Buffer.compare(codec.decompress(undeclared, MAX), input)).toBe(0);
      expect(Buffer.compare(codec.decompress(undeclared, input.length), input)).toBe(0);
      expect(() => codec.decompress(undeclared, input.length - 1)).toThrow(OutputTooLarge);
    });

    test('several frames, and skippable ones between them', () => {
      const skippable = of([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0], 'xx');
      expect(text(codec.decompress(of(streamed, skippable, streamed), MAX))).toBe('abcddddabcdddd');
      expect(() => codec.decompress(of(streamed, streamed), 13)).toThrow(OutputTooLarge);
    });

    test('a bomb of repeated bytes', () => {
      const bomb = of(
        magic,
        [0x00, 0x50],
        ...Array.from({ length: 2000 }, (_, i) => of(blockHeader(i === 1999, RLE, 128 * 1024), [0])),
      );
      expect(() => codec.decompress(bomb, MAX)).toThrow(OutputTooLarge);
    });

    test.each<[string, Uint8Array]>([
      ['a size that its blocks cannot hold', of(magic, [0xa0, 0, 0, 0, 0x40], blockHeader(true, RAW, 3), 'abc')],
      ['a reserved block type', of(magic, [0x00, 0x50], blockHeader(true, 3, 0))],
      ['a cut-off frame', streamed.subarray(0, streamed.length - 1)],
      ['a frame without an end', of(magic, [0x00, 0x50], blockHeader(false, RAW, 3), 'abc')],
      ['a header alone', of(magic, [0xe0])],
      ['something else', of('this is not zstd')],
      ['a few bytes', of('abc')],
    ])('refuses %s', (_title, bytes) => {
      expect(() => codec.decompress(bytes, MAX)).toThrow(Malformed);
    });
  });
});

test('gzip is read in several members', async () => {
  await ensureCodec('gzip');
  const twice = of(compress('gzip', of('first ')), compress('gzip', of('second')));
  expect(text(decompress('gzip', twice, MAX))).toBe('first second');
});

test('loading a codec twice, and at once, loads it once', async () => {
  const all: readonly Compression[] = ['none', 'gzip', 'gzip', 'zstd'];
  await Promise.all(all.map(ensureCodec));
  await expect(ensureCodec('none')).resolves.toBeUndefined();
});
