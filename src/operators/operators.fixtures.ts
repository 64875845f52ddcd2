import { type Headers, int32, json, type LateRecord, nullable, type StreamRecord, string, topic } from 'millrace';
import { type MillraceError } from '../errors.ts';

/** Topics of the operator tests. */
export const input = topic('input', { key: nullable(string()), value: nullable(json<number>()) });
export const keyed = topic('keyed', { key: string(), value: json<number>() });
export const output = topic('output', { key: nullable(string()), value: nullable(json<unknown>()) });
export const other = topic('other', { key: nullable(string()), value: nullable(json<unknown>()) });
export const dead = topic('dead', { key: nullable(string()), value: nullable(json<unknown>()) });
export const numbers = topic('numbers', { key: int32(), value: json<number>() });

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const headers = (...pairs: [name: string, value: string][]): Headers =>
  pairs.map(([name, value]) => [name, encoder.encode(value)] as const);

export const texts = (from: Headers): Record<string, string> =>
  Object.fromEntries(from.map(([name, value]) => [name, value === null ? 'null' : decoder.decode(value)]));

type Row = StreamRecord<unknown, unknown>;

/** `key=value@timestamp` */
export const show = ({ key, timestamp, value }: Row): string => `${String(key)}=${JSON.stringify(value)}@${timestamp}`;

export const shown = (records: readonly Row[]): string[] => records.map(show);

/** `key@timestamp missed [start,end)…`, with `partial` if other windows accepted it. */
export const showLate = ({ key, late, timestamp }: LateRecord<unknown, unknown>): string =>
  `${String(key)}@${timestamp} missed ${late.missed.map(({ end, start }) => `[${start},${end})`).join(' ')}${
    late.partial ? ' partial' : ''
  }`;

/** The error that a call throws; fails if it throws nothing. */
export function thrown(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}
