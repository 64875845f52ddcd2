import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it.each(['with Buffer', 'as in a browser, without Buffer'])('reads and writes the same %s', async (where) => {
  if (where !== 'with Buffer') vi.stubGlobal('Buffer', undefined);
  vi.resetModules();
  const { decodeUtf8, encodeUtf8 } = await import('./text.ts');
  for (const text of [
    '',
    'short',
    'ä',
    '\uFEFF\uFFFD',
    'long ascii text '.repeat(9),
    'häuser \u{1F600} '.repeat(9),
    'é'.repeat(9000),
  ]) {
    const bytes = new TextEncoder().encode(text);
    expect(encodeUtf8(text)).toEqual(bytes);
    expect(decodeUtf8(Uint8Array.of(0x80, ...bytes, 0x80), 1, bytes.length + 1)).toBe(text);
    expect(decodeUtf8(Uint8Array.of(...bytes, 0x80), 0, bytes.length + 1)).toBeUndefined();
  }
});
