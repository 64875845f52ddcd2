import { formatMs } from '../../options/duration.ts';
import type { Window } from '../../record.ts';
import { sourceText } from '../source-text.ts';
import type { MarbleAct, MarbleItem, MarbleRow } from './cells.ts';

/** Strings that can be written as a word and read back as the same string. */
const PLAIN = /^[^\s\-:()[\]{}|,"!^+\d][^\s\-:()[\]{}|,"]*$/;
const TAKEN = new Set(['null', 'true', 'false']);

/** The text of a value in a diagram. @param values - The values of words. */
function valueText(value: unknown, values: Readonly<Record<string, unknown>>): string {
  const same = sourceText(value, 'by name');
  const word = Object.keys(values).find((name) => sourceText(values[name], 'by name') === same);
  if (word !== undefined) return word;
  if (typeof value === 'string' && PLAIN.test(value) && !TAKEN.has(value) && !Object.hasOwn(values, value))
    return value;
  if (typeof value === 'number') return same;
  // A value that JSON cannot represent is shown as code, which cannot be parsed: name it in `values`.
  const json = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : sorted(part)));
  return json === undefined || sourceText(JSON.parse(json), 'by name') !== same ? `<${same}>` : json;
}

/** Cells are compared by their text, in which the order of fields must not matter. */
function sorted(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `1s`, `70s`, `1500ms`. */
function timeText(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return '∞';
  return ms === 0 ? '0s' : formatMs(ms);
}

const windowText = ({ end, start }: Window): string => `[${timeText(start)},${timeText(end)})`;

export function rowText(row: MarbleRow, values: Readonly<Record<string, unknown>>): string {
  const { key, missed = [], timestamp, value, window } = row;
  const at = timestamp === undefined ? '' : `(${timeText(timestamp)})`;
  const of = window === undefined ? '' : windowText(window);
  return `${valueText(key, values)}${of}:${valueText(value, values)}${at}${missed.map(windowText).join('')}`;
}

const ACTS: Readonly<Record<Exclude<MarbleAct['kind'], 'advance'>, string>> = { end: '|', crash: '!', commit: '^' };

export function itemText(item: MarbleItem, values: Readonly<Record<string, unknown>>): string {
  if (item.kind === 'row') return rowText(item, values);
  return item.kind === 'advance' ? `+${timeText(item.ms)}` : ACTS[item.kind];
}
