import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from './sha256.ts';

describe('sha256', () => {
  it('is what Node says, around every block border', () => {
    for (const length of [...Array.from({ length: 200 }, (_, n) => n), 1000, 100_001]) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff);
      expect(sha256Hex(bytes), `${length} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
});
