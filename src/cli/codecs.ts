import { bytes, ConfigError, float64, int32, int64, json, msgpack, type Serde, string, uuid } from '../index.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { changedNumber } from './json-texts.ts';
import { badText } from './line-error.ts';
import { toJson } from './to-json.ts';

/** Decodes keys or values for people, and encodes what they write. */
export interface Codec {
  /** The value as JSON on one line, as far as JSON can represent it. @throws the error of the serde */
  json(bytes: Uint8Array): string;
  /**
   * Encodes a value given as JSON. The bytes may differ from the original ones; compare them if that matters.
   *
   * @param value - The parsed value of `text`.
   * @throws the error of the serde, RecordError `ERR_ENVELOPE`
   */
  read(value: unknown, text: string): Uint8Array;
  /** Encodes a value given as text. @throws as `read` */
  parse(text: string): Uint8Array;
}

const shown =
  (serde: Serde<unknown>) =>
  (raw: Uint8Array): string =>
    toJson(serde.deserialize(raw));

/** @throws RecordError `ERR_ENVELOPE` for a number that would be written as another one. */
function checkExact(text: string): void {
  const changed = changedNumber(text);
  if (changed === undefined) return;
  throw badText(
    `${changed.length > 40 ? `${changed.slice(0, 40)}…` : changed} is a number that a double cannot hold`,
    'write it as text, or produce bytes with --value base64',
  );
}

const numeric = (serde: Serde<number>, pattern: RegExp, form: string): Codec => ({
  json: shown(serde as Serde<unknown>),
  read: (value, text) => {
    checkExact(text);
    return serde.serialize(value as number);
  },
  parse: (text) => {
    const trimmed = text.trim();
    if (!pattern.test(trimmed)) throw badText(`${quote(text)} is not a number`, `${serde.name} takes ${form}`);
    checkExact(trimmed);
    return serde.serialize(Number(trimmed));
  },
});

const textual = (serde: Serde<string>): Codec => ({
  json: shown(serde as Serde<unknown>),
  read: (value) => serde.serialize(value as string),
  parse: (text) => serde.serialize(text),
});

/** JSON is written unchanged: parsing it would round numbers and change its formatting. */
function jsonCodec(): Codec {
  const serde = json<unknown>();
  const checked = (text: string): Uint8Array => {
    const raw = new TextEncoder().encode(text);
    try {
      serde.deserialize(raw);
    } catch (cause) {
      throw badText(
        `it is not valid JSON: ${text.slice(0, 40)}`,
        'each line is one JSON value other than null (write tombstones with --tombstone); --value string takes text',
        cause,
      );
    }
    return raw;
  };
  return {
    json: (raw) => {
      serde.deserialize(raw);
      // Only between values: inside a string a line break is written as \n.
      return new TextDecoder()
        .decode(raw)
        .replace(/[\r\n]\s*/g, ' ')
        .trim();
    },
    read: (_, text) => checked(text),
    parse: checked,
  };
}

function msgpackCodec(): Codec {
  const serde = msgpack<unknown>();
  const write = (value: unknown, text: string): Uint8Array => {
    checkExact(text);
    return serde.serialize(value as NonNullable<unknown>);
  };
  return {
    json: shown(serde),
    read: write,
    parse: (text) => write(parseJson(text), text),
  };
}

function int64Codec(): Codec {
  const serde = int64();
  const write = (value: unknown): Uint8Array => serde.serialize(bigintOf(value));
  const read = (value: unknown, text: string): Uint8Array =>
    // A fraction that parsing has lost.
    write(typeof value === 'number' && /^-?\d+\.\d*[1-9]\d*$/.test(text.trim()) ? text : value);
  return { json: shown(serde as Serde<unknown>), read, parse: write };
}

function base64Codec(): Codec {
  const decode = (text: unknown): Uint8Array => {
    const raw = typeof text === 'string' ? fromBase64(text) : undefined;
    if (raw !== undefined) return raw;
    throw badText(
      `${quote(String(text))} is not base64`,
      'base64 is written with A-Z, a-z, 0-9, + and /, and = at the end',
    );
  };
  return { json: (raw) => toJson(toBase64(raw)), read: decode, parse: (text) => bytes().serialize(decode(text)) };
}

const CODECS: Readonly<Record<string, () => Codec>> = {
  string: () => textual(string()),
  uuid: () => textual(uuid()),
  json: jsonCodec,
  msgpack: msgpackCodec,
  int32: () => numeric(int32(), /^[+-]?\d+$/, 'whole numbers, such as -7'),
  float64: () =>
    numeric(
      float64(),
      /^(?:[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)|NaN)$/,
      'numbers, such as 12, -0.5, 1e6, NaN or Infinity',
    ),
  int64: int64Codec,
  base64: base64Codec,
};

/** Names of the serdes that `--key` and `--value` take. */
export const CODEC_NAMES: readonly string[] = Object.keys(CODECS);

/** @throws ConfigError `ERR_OPTION` for an unknown name. */
export function codecOf(flag: string, name: string | undefined): Codec | undefined {
  if (name === undefined) return undefined;
  const make = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (make !== undefined) return make();
  throw new ConfigError('ERR_OPTION', `${flag}: there is no serde ${JSON.stringify(name)}`, {
    hint: `use one of ${CODEC_NAMES.join(', ')}`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badText(
      `a value is not JSON: ${text.slice(0, 40)}`,
      'each line is one JSON value; use --value string for text',
      cause,
    );
  }
}

function bigintOf(value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return BigInt(value.trim().replace(/^\+/, ''));
  const large = typeof value === 'number' && Number.isInteger(value);
  throw badText(
    `${large ? value : quote(String(value))} is ${large ? 'rounded by JSON' : 'not a whole number'}`,
    large ? 'write whole numbers beyond 2^53 as text' : 'int64 takes whole numbers, such as -7',
  );
}

/** Quotes text for a message. */
const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
