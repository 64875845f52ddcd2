import {
  bytes,
  ConfigError,
  float64,
  int32,
  int64,
  json,
  msgpack,
  RecordError,
  type Serde,
  string,
  uuid,
} from '../index.ts';

/** Decodes keys or values for people, and encodes what they write. */
export interface Codec {
  /** The value, as JSON can say it. @throws what the serde says */
  show(bytes: Uint8Array): unknown;
  /** Bytes of a value as JSON said it. @throws what the serde says */
  read(value: unknown): Uint8Array;
  /** Bytes of a value that was written as text. */
  parse(text: string): Uint8Array;
}

const numeric = (serde: Serde<number>): Codec => ({
  show: (raw) => serde.deserialize(raw),
  read: (value) => serde.serialize(value as number),
  parse: (text) => serde.serialize(text.trim() === '' ? Number.NaN : Number(text)),
});
const textual = (serde: Serde<string>): Codec => ({
  show: (raw) => serde.deserialize(raw),
  read: (value) => serde.serialize(value as string),
  parse: (text) => serde.serialize(text),
});
const structured = (serde: Serde<unknown>): Codec => ({
  show: (raw) => serde.deserialize(raw),
  read: (value) => serde.serialize(value as NonNullable<unknown>),
  parse: (text) => serde.serialize(parseJson(text)),
});
const big = int64();

const CODECS: Readonly<Record<string, () => Codec>> = {
  string: () => textual(string()),
  uuid: () => textual(uuid()),
  json: () => structured(json<unknown>()),
  msgpack: () => structured(msgpack<unknown>()),
  int32: () => numeric(int32()),
  float64: () => numeric(float64()),
  int64: () => ({
    show: (raw) => big.deserialize(raw),
    read: (value) => big.serialize(bigintOf(value)),
    parse: (text) => big.serialize(bigintOf(text)),
  }),
  base64: () => ({
    show: (raw) => Buffer.from(raw).toString('base64'),
    read: (value) => bytes().serialize(new Uint8Array(Buffer.from(String(value), 'base64'))),
    parse: (text) => new Uint8Array(Buffer.from(text, 'base64')),
  }),
};

/** Names of the serdes that `--key` and `--value` take. */
export const CODEC_NAMES: readonly string[] = Object.keys(CODECS);

/** @throws ConfigError `ERR_OPTION` for a name that is none. */
export function codecOf(flag: string, name: string | undefined): Codec | undefined {
  if (name === undefined) return undefined;
  const make = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (make !== undefined) return make();
  throw new ConfigError('ERR_OPTION', `${flag}: there is no serde ${JSON.stringify(name)}`, {
    hint: `use one of ${CODEC_NAMES.join(', ')}`,
  });
}

function parseJson(text: string): NonNullable<unknown> {
  try {
    return JSON.parse(text) as NonNullable<unknown>;
  } catch (cause) {
    throw new RecordError('ERR_ENVELOPE', `a value is not JSON: ${text.slice(0, 40)}`, {
      cause,
      hint: 'each line is one JSON value; use --value string for text',
    });
  }
}

function bigintOf(value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value.trim())) return BigInt(value.trim());
  throw new RecordError('ERR_ENVELOPE', `${String(value)} is not a whole number`, {
    hint: 'int64 takes whole numbers',
  });
}
