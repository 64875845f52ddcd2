import { InvalidArgumentError } from 'commander';

// Flags with several values are repeated: a list would swallow the arguments after it.

/** Adds a value of a flag. */
export function oneMore(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** A whole number, 1 or more. */
export function whole(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('give a whole number, 1 or more.');
}

/** A whole number, 0 or more. */
export function fromZero(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number, 0 or more.');
}

/** The number of a partition. */
export function partition(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('partitions are numbered from 0.');
}

/** Adds partitions, optionally separated by commas. */
export function partitions(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), ...text.split(',').map(partition)];
}

/** Parses `name=value`; both parts are required. */
function pair(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new InvalidArgumentError('give NAME=VALUE.');
}

/** Adds a pair. */
export function pairs(
  text: string,
  before: readonly (readonly [string, string])[] | undefined,
): readonly (readonly [string, string])[] {
  return [...(before ?? []), pair(text)];
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '0': '\0', '\\': '\\' };

/** A delimiter, with the escapes `\\t`, `\\n`, `\\r`, `\\0` and `\\xHH` for characters that are hard to type. */
export function delimiter(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([tnr0\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] as string) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
