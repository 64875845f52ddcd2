import { ConfigError, FatalError } from '../errors.ts';
import { OutputTooLarge } from './corrupt.ts';

/** Compression of a record batch. @public */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** A loaded codec. Both functions return new bytes. */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  /** @throws OutputTooLarge before more than `maxOutputBytes` are allocated; Malformed, or the codec's own error, for bad input. */
  decompress(bytes: Uint8Array, maxOutputBytes: number): Uint8Array;
}

const NONE: Codec = {
  compress: (bytes) => bytes.slice(),
  decompress: (bytes, maxOutputBytes) => {
    if (bytes.length > maxOutputBytes) throw new OutputTooLarge(maxOutputBytes);
    return bytes.slice();
  },
};

const loaded = new Map<Compression, Codec>([['none', NONE]]);

type Compressed = Exclude<Compression, 'none'>;

/** Imported on first use only, so that reading uncompressed batches needs neither Node nor a codec package. */
const LOADERS: { readonly [C in Compressed]: () => Promise<Codec> } = {
  gzip: async () => (await import('./codec-gzip.ts')).gzipCodec,
  snappy: async () => (await import('./codec-snappy.ts')).snappyCodec,
  lz4: async () => (await import('./codec-lz4.ts')).lz4Codec,
  zstd: async () => (await import('./codec-zstd.ts')).loadZstd(),
};
const loading = new Map<Compressed, Promise<void>>();

/**
 * Loads a codec, so that the synchronous functions can use it. Resolves at once for `none` and for loaded codecs.
 *
 * @throws ConfigError `ERR_CODEC_UNAVAILABLE` if the codec cannot be loaded on this machine; a later call tries again.
 */
export async function ensureCodec(compression: Compression): Promise<void> {
  if (compression === 'none' || loaded.has(compression)) return;
  let pending = loading.get(compression);
  if (pending === undefined) {
    pending = load(compression).finally(() => loading.delete(compression));
    loading.set(compression, pending);
  }
  await pending;
}

async function load(compression: Compressed): Promise<void> {
  try {
    loaded.set(compression, await LOADERS[compression]());
  } catch (cause) {
    throw new ConfigError('ERR_CODEC_UNAVAILABLE', `The codec for ${compression} cannot be loaded here`, {
      cause,
      hint: 'use another compression, or install the packages of this project for this platform',
    });
  }
}

function codec(compression: Compression): Codec {
  const found = loaded.get(compression);
  if (found === undefined) {
    throw new FatalError('ERR_CODEC_NOT_LOADED', `The codec for ${compression} is not loaded`, {
      hint: `await ensureCodec('${compression}') before encoding or decoding such a batch`,
    });
  }
  return found;
}

/** Compresses. @throws FatalError `ERR_CODEC_NOT_LOADED` unless {@link ensureCodec} has resolved for it. */
export function compress(compression: Compression, bytes: Uint8Array): Uint8Array {
  return codec(compression).compress(bytes);
}

/** Decompresses. @throws FatalError `ERR_CODEC_NOT_LOADED` unless {@link ensureCodec} has resolved for it. */
export function decompress(compression: Compression, bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  return codec(compression).decompress(bytes, maxOutputBytes);
}
