import { ConfigError } from '../index.ts';
import type { Codec } from './codecs.ts';
import { type RawRecord, textOf } from './envelope.ts';

/** Whether a record passes. */
export type Filter = (record: RawRecord) => boolean;

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/**
 * Parses a condition: `.a.b == 3` for a field of the value, `.items[0].name == tea` for one in a list, `key == ada`,
 * `key.id > 7`, `. == 5` for the value itself, or `.a.b` alone for an existing field. The operators are `==`, `!=`,
 * `<`, `<=`, `>`, `>=`; the operand is JSON or otherwise text. A missing field equals only null.
 *
 * @throws ConfigError `ERR_OPTION`
 */
export function parseFilter(text: string, key: Codec | undefined, value: Codec | undefined): Filter {
  const [, subject = '', path = '', operator, literal = ''] =
    /^\s*(key)?((?:\.[A-Za-z_$][\w$-]*|\.(?![\w$])|\[\d+\])*)\s*(?:(==|!=|<=|>=|<|>)\s*(.*?)\s*)?$/s.exec(text) ?? [];
  if (subject === '' && path === '') throw wrong(text);
  if (operator !== undefined && literal === '') throw wrong(text);
  const steps = [...path.matchAll(/\.([A-Za-z_$][\w$-]*)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  const [of, codec] =
    subject === 'key' ? [(record: RawRecord) => record.key, key] : [(record: RawRecord) => record.value, value];
  const found = (record: RawRecord): unknown => at(decoded(of(record), codec), steps);
  if (operator === undefined) return (record) => (found(record) ?? null) !== null;
  const wanted = literalOf(literal);
  return (record) => holds(found(record) ?? null, operator as Operator, wanted);
}

/** Decodes a key or a value: with its serde, or as JSON, or as text. */
function decoded(bytes: Uint8Array | null, codec: Codec | undefined): unknown {
  if (bytes === null) return null;
  try {
    if (codec !== undefined) return JSON.parse(codec.json(bytes));
  } catch {
    return undefined;
  }
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function at(value: unknown, steps: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of steps) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[step];
  }
  return current;
}

function literalOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function holds(found: unknown, operator: Operator, wanted: unknown): boolean {
  if (operator === '==') return isSame(found, wanted);
  if (operator === '!=') return !isSame(found, wanted);
  const [left, right] =
    typeof found === 'string' && typeof wanted === 'number' && found.trim() !== ''
      ? [Number(found), wanted]
      : [found, wanted];
  if (
    !(typeof left === 'number' && typeof right === 'number') &&
    !(typeof left === 'string' && typeof right === 'string')
  )
    return false;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

/** Whole numbers beyond the range of JSON are shown as strings, and a string may look like a number. */
function isSame(found: unknown, wanted: unknown): boolean {
  if (typeof found === 'object' || typeof wanted === 'object') return JSON.stringify(found) === JSON.stringify(wanted);
  return found === wanted || (typeof found === 'string' && found === JSON.stringify(wanted));
}

function wrong(text: string): ConfigError {
  return new ConfigError('ERR_OPTION', `--filter: ${JSON.stringify(text)} is not a condition`, {
    hint: "such as '.user.name == ada', '.total >= 10', '.items[0]', 'key == ada' or '. != null'",
  });
}
