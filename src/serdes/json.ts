import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isThenable } from '../options/promises.ts';
import { hasUnsafeKey, isTooDeep, MAX_DEPTH, mayHoldUnsafeKey } from './json-guard.ts';
import { jsonErrorPosition } from './json-position.ts';
import { decodeError, encodeError, typeName } from './refusal.ts';
import { type SchemaFormat, type SchemaOptions, schemaWriter, validator } from './schema.ts';
import type { Serde } from './serde.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';

function write(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw encodeError('json', `${typeName(value)}: ${String(cause)}`, 'leave out bigints and cycles', cause);
  }
  if (text === undefined) throw encodeError('json', typeName(value));
  if (text === 'null') throw encodeError('json', `${String(value)}, which would read as null`);
  if (isTooDeep(text)) throw encodeError('json', `a value nested deeper than ${MAX_DEPTH} levels`);
  if (text.includes('{}')) refuseEmptied(value);
  if (mayHoldUnsafeKey(text) && hasUnsafeKey(JSON.parse(text))) {
    throw encodeError('json', 'the unsafe key __proto__', 'readers refuse it: rename the key');
  }
  return text;
}

/** Refuses values that JSON cannot represent and would write as `{}`. The depth has already been checked. */
function refuseEmptied(value: unknown): void {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return;
  if (isThenable(value))
    throw encodeError('json', 'a promise, of which {} would be left', 'wait for it: use mapAsync(…)');
  if (value instanceof Map || value instanceof Set || value instanceof WeakMap || value instanceof WeakSet) {
    throw encodeError('json', `${typeName(value)}, of which {} would be left`, 'write its entries: [...entries]');
  }
  for (const part of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) refuseEmptied(part);
}

function read(bytes: Uint8Array, start: number, end: number): NonNullable<unknown> {
  const text = decodeUtf8(bytes, start, end);
  if (text === undefined) throw decodeError('json', 'malformed UTF-8', bytes, start, end);
  if (isTooDeep(text)) throw decodeError('json', `a value nested deeper than ${MAX_DEPTH} levels`, bytes, start, end);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const at = jsonErrorPosition(text);
    const what = at >= text.length ? 'a text that ends too early' : 'text that is not JSON';
    throw decodeError('json', `${what}, at position ${at}`, bytes, start, end, cause);
  }
  if (value === null || value === undefined) {
    throw decodeError('json', 'the text null, since a tombstone has no bytes', bytes, start, end);
  }
  if (mayHoldUnsafeKey(text) && hasUnsafeKey(value)) {
    throw decodeError('json', 'the unsafe key __proto__', bytes, start, end);
  }
  return value;
}

const FORMAT: SchemaFormat<string> = {
  name: 'json',
  write,
  read: (text) => JSON.parse(text) as NonNullable<unknown>,
  same: (left, right) => left === right,
};

/**
 * JSON with an unchecked type. Give a schema if you do not control the producer.
 *
 * @typeParam T - What the program expects to read.
 * @public
 */
export function json<T = unknown>(): Serde<T>;
/**
 * JSON in UTF-8, validated by any Standard Schema (zod, valibot, arktype, …). Values are validated when they are read,
 * and read back before they are written, so that no reader meets a record that the schema refuses. The program sees the
 * schema's output. If the schema does not accept the JSON of its own output, give `{ encode }`.
 *
 * Reading fails with `ERR_DECODE` for text that is not JSON (with the position), the text `null`, more than 100 levels,
 * and the key `__proto__` in any spelling; and with `ERR_VALIDATION` if the schema finds issues. Writing fails with
 * `ERR_ENCODE` for anything that JSON cannot represent: undefined, functions, bigints, cycles, promises, Maps and Sets,
 * and anything that reading would refuse. As usual in JSON, undefined properties are omitted, a nested NaN becomes
 * null, and a Date becomes its ISO text.
 *
 * @param schema - Describes the values; its output type is the serde's type.
 * @param options - How to convert values back for writing, and whether to validate written values.
 * @throws ConfigError `ERR_ASYNC_SCHEMA` at the first value, if the schema validates asynchronously.
 *
 * @example
 * ```ts
 * import { json } from 'millrace';
 * import { z } from 'zod';
 *
 * const click = json(z.object({ user: z.string(), tags: z.array(z.string()) }));
 * const bytes = click.serialize({ user: 'ada', tags: ['a'] });
 * console.log(click.deserialize(bytes).tags.length);
 * // => 1
 * ```
 * @public
 */
export function json<S extends StandardSchemaV1>(
  schema: S,
  options?: SchemaOptions<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>,
): Serde<StandardSchemaV1.InferOutput<S>>;
export function json(schema?: StandardSchemaV1, options: SchemaOptions = {}): Serde<unknown> {
  const validate = schema === undefined ? undefined : validator(schema, 'json');
  const toText = validate === undefined ? write : schemaWriter(validate, options, FORMAT);
  const decodeRange = (bytes: Uint8Array, start: number, end: number): NonNullable<unknown> => {
    const value = read(bytes, start, end);
    return validate === undefined ? value : validate(value);
  };
  return {
    name: 'json',
    // With an encoder, different values may have equal bytes.
    keysByValue: options.encode === undefined,
    serialize: (value) => encodeUtf8(toText(value)),
    deserialize: (bytes) => decodeRange(bytes, 0, bytes.length),
    toText,
    decodeRange,
  };
}
