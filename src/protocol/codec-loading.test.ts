import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RecordBatchBuilder } from './batch-builder.ts';
import { compressionOf, decodeBatch } from './batch-decoder.ts';
import { ensureCodec } from './compression.ts';

test('a codec that is not loaded is an error that says what to do, for writing and for reading', async () => {
  const builder = new RecordBatchBuilder();
  builder.append(1, 'a', 'b', []);
  const notLoaded = expect.objectContaining({
    code: 'ERR_CODEC_NOT_LOADED',
    message: expect.stringContaining("await ensureCodec('gzip')"),
  });
  expect(() => builder.finish({ compression: 'gzip' })).toThrow(notLoaded);

  const batch = builder.finish();
  new DataView(batch.buffer).setInt16(21, 1);
  expect(compressionOf(batch, 0)).toBe('gzip');
  expect(() => decodeBatch(batch, 0, { checkCrc: false })).toThrow(notLoaded);

  await ensureCodec('gzip');
  expect(decodeBatch(builder.finish({ compression: 'gzip' }), 0).count).toBe(1);
});

test('encoding and decoding, lz4 too, import neither Node nor a package, so that they run in a browser', () => {
  const seen = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = readFileSync(url, 'utf8');
    for (const [, what, from] of source.matchAll(/^(?:import|export) ([^;]*?)from '([^']+)';/gm)) {
      if (what!.startsWith('type ')) continue;
      expect(from, `import in ${url.pathname}`).toMatch(/^\./);
      visit(new URL(from!, url));
    }
  };
  for (const file of ['batch-builder.ts', 'batch-decoder.ts', 'control-batch.ts', 'partitioner.ts', 'codec-lz4.ts']) {
    visit(new URL(file, import.meta.url));
  }
  expect([...seen].some((href) => href.endsWith('/crc32c.ts'))).toBe(true);
});
