import type { KeptRow } from '../dataflow/emitted-row.ts';
import type { InputOrigin } from '../dataflow/task-context.ts';
import { show } from '../options/option-checks.ts';
import { json } from '../serdes/json.ts';
import { msgpack } from '../serdes/msgpack.ts';

/** The encoding of the value in the dead letter of a row. */
export type RowEncoding = 'json' | 'msgpack' | 'text' | 'bytes';

export interface RowValue {
  readonly encoding: RowEncoding;
  readonly bytes: Uint8Array;
}

const MAX_KEY_CHARS = 80;
const MAX_DEPTH = 100;

const TEXT = new TextEncoder();
const JSON_SERDE = json();
const MSGPACK_SERDE = msgpack();

/**
 * The content of a row as bytes. If it survives JSON unchanged, it is written as JSON, which people and other programs
 * can read; otherwise as MessagePack; if that fails too, as descriptive text. It is never null, which would be a
 * tombstone.
 */
export function rowValue({ content, holds }: KeptRow): RowValue {
  if (holds === 'stored') return { encoding: 'bytes', bytes: content as Uint8Array };
  if (content === null) return { encoding: 'json', bytes: TEXT.encode('null') };
  try {
    if (isPlain(content, 0)) return { encoding: 'json', bytes: JSON_SERDE.serialize(content as NonNullable<unknown>) };
    return { encoding: 'msgpack', bytes: MSGPACK_SERDE.serialize(content as NonNullable<unknown>) };
  } catch {
    return { encoding: 'text', bytes: TEXT.encode(show(content)) };
  }
}

/** The key of a row, encoded by its serde, or as text if that fails. */
export function rowKey({ key, keySerde }: KeptRow): Uint8Array {
  try {
    return keySerde?.serialize(key) ?? TEXT.encode(keyText(key));
  } catch {
    return TEXT.encode(keyText(key));
  }
}

/** Whether a value survives a round trip through JSON unchanged. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH || 'toJSON' in value) return false;
  if (Array.isArray(value)) return value.every((part) => isPlain(part, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((part) => part === undefined || isPlain(part, depth + 1));
}

/** A key for messages and headers: on one line and of limited length. */
export function keyText(key: unknown): string {
  const text = longKeyText(key);
  return text.length > MAX_KEY_CHARS ? `${text.slice(0, MAX_KEY_CHARS)}…` : text;
}

function longKeyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key instanceof Uint8Array) {
    return `0x${Array.from(key.subarray(0, MAX_KEY_CHARS), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  }
  if (typeof key === 'bigint') return `${key}n`;
  try {
    return JSON.stringify(key, (_name, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(key);
  } catch {
    return 'that cannot be shown';
  }
}

/** Describes the failed row, to append to the message of the failure; empty if a record failed. */
export function rowWords({ offset, partition, row, topic }: InputOrigin): string {
  if (row?.kept === undefined) return '';
  const { key, window } = row.kept;
  const shown = typeof key === 'string' ? JSON.stringify(keyText(key)) : keyText(key);
  const span = window === undefined ? '' : ` and window [${window.start}, ${window.end})`;
  const when = offset < 0 ? 'at the end of the input' : `at ${topic}/${partition}@${offset}`;
  return ` (this is a row of ${row.step} with key ${shown}${span}, emitted ${when})`;
}
