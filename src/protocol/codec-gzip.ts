import { gunzipSync, gzipSync } from 'node:zlib';
import type { Codec } from './compression.ts';
import { OutputTooLarge } from './corrupt.ts';
import { plainBytes } from './record-table.ts';

/** gzip (RFC 1952), by Node. */
export const gzipCodec: Codec = {
  compress: (bytes) => plainBytes(gzipSync(bytes)),
  decompress: (bytes, maxOutputBytes) => {
    try {
      return plainBytes(gunzipSync(bytes, { maxOutputLength: Math.max(1, maxOutputBytes) }));
    } catch (error) {
      if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
        throw new OutputTooLarge(maxOutputBytes);
      }
      throw error;
    }
  },
};
