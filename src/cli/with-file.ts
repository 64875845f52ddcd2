import { ConfigError, type Serde } from '../index.ts';
import { meant } from '../options/nearest.ts';
import { type Codec, codecOf } from './codecs.ts';
import { badText } from './line-error.ts';
import { loadFile } from './load-file.ts';
import { toJson } from './to-json.ts';

/** Flags that choose the serdes of keys and values. */
export interface CodecFlags {
  readonly key?: string;
  readonly value?: string;
  readonly with?: string;
}

export interface Codecs {
  readonly key: Codec | undefined;
  readonly value: Codec | undefined;
}

/**
 * The codecs for the keys and values of a topic: by serde names, or from the declaration of the topic in a file.
 *
 * @throws ConfigError `ERR_OPTION`, `ERR_FILE`
 */
export async function codecsOf(topic: string, flags: CodecFlags): Promise<Codecs> {
  const named = { key: codecOf('--key', flags.key), value: codecOf('--value', flags.value) };
  if (flags.with === undefined) return named;
  const { exports } = await loadFile(flags.with);
  const declared = Object.values(exports).filter(isDeclaration);
  const found = declared.find(({ name }) => name === topic);
  if (found === undefined) {
    const names = declared.map(({ name }) => name);
    throw new ConfigError('ERR_FILE', `${flags.with} exports no declaration of topic ${topic}`, {
      hint:
        names.length === 0 ? `export it: export const ${nameFor(topic)} = topic('${topic}', …)` : meant(topic, names),
    });
  }
  return {
    key: named.key ?? (found.key === undefined ? undefined : serdeCodec(found.key)),
    value: named.value ?? serdeCodec(found.value),
  };
}

interface Declaration {
  readonly name: string;
  readonly key: Serde<unknown> | undefined;
  readonly value: Serde<unknown>;
}

/** Whether a value was returned by `topic(…)`, `table(…)` or `globalTable(…)` of any copy of the library. */
function isDeclaration(value: unknown): value is Declaration {
  const { name, value: serde } = (value ?? {}) as {
    readonly name?: unknown;
    readonly value?: { readonly serialize?: unknown };
  };
  return typeof name === 'string' && typeof serde?.serialize === 'function';
}

const nameFor = (topic: string): string =>
  topic.replace(/[^a-zA-Z0-9]+(.)?/g, (_, next: string = '') => next.toUpperCase());

/** Serdes without a schema, whose values are written directly on the command line. */
const PLAIN = new Set(['string', 'uuid', 'int32', 'int64', 'float64']);

/** A codec for a serde of a program. Its values are written as JSON. */
function serdeCodec(serde: Serde<unknown>): Codec {
  const plain = PLAIN.has(serde.name) ? codecOf('--with', serde.name) : undefined;
  if (plain !== undefined) return plain;
  const write = (value: unknown): Uint8Array => serde.serialize(value as NonNullable<unknown>);
  return {
    json: (raw) => toJson(serde.deserialize(raw)),
    read: write,
    parse: (text) => {
      try {
        return write(JSON.parse(text));
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause;
        throw badText(`${JSON.stringify(text.slice(0, 40))} is not JSON`, `${serde.name} takes values as JSON`, cause);
      }
    },
  };
}
