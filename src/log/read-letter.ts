import type { Header, Headers } from '../record.ts';

/** A record of a dead-letter topic. */
export interface LetterRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** The place of the failed record. */
export interface LetterOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** −1 if the letter does not contain it. */
  readonly timestamp: number;
}

/** What a dead letter says about the failed record. */
export interface Letter {
  readonly code: string;
  readonly message: string;
  readonly application: string | undefined;
  readonly step: string | undefined;
  /** `undefined` for a kept row, which was in no topic. */
  readonly origin: LetterOrigin | undefined;
  /** Whether the letter contains only a part of the record. */
  readonly cut: boolean;
  /** The headers of the failed record. */
  readonly headers: readonly Header[];
  /**
   * Why the record cannot be written to its topic again, as a phrase that follows "the letter"; `undefined` if it can.
   * A record that a step has already counted would be counted twice.
   */
  readonly notReplayable: string | undefined;
  /** Like {@link notReplayable}, for writing to another topic: why the record is not complete. */
  readonly notWhole: string | undefined;
  /** The failed record, if its key and value are those of the letter. */
  readonly record: LetterRecord;
}

const PREFIX = 'millrace.';
const TEXT = new TextDecoder();

/** Reads what `deadLetterOf` has written; `undefined` for a record that is not a dead letter. */
export function letterOf(record: LetterRecord): Letter | undefined {
  const { headers } = record;
  // The headers with reason and origin follow those of the record, which may itself be a letter.
  const error = headers.findLastIndex(([name]) => name === 'millrace.error.code');
  if (error === -1) return undefined;
  // A cut letter has its place first, so that the place always fits.
  const isWhole = headers.slice(error).some(([name]) => isPlace(name));
  const start = isWhole ? beforeKey(headers, error) : beforePlace(headers, error);
  const said = new Map(headers.slice(start));
  const get = (name: string): string | undefined => {
    const value = said.get(PREFIX + name);
    return value === undefined || value === null ? undefined : TEXT.decode(value);
  };
  const origin = originOf(get);
  // In a compacted topic, a record without a key or with a very large one has its place as key.
  const named = said.has('millrace.origin.key');
  const namedKey = said.get('millrace.origin.key') ?? null;
  const cut = !isWhole || (named && namedKey !== null);
  const own = headers.slice(0, start);
  const notWhole = wrong(origin, cut, get('origin.last-offset') !== undefined);
  const applied = get('applied');
  return {
    code: get('error.code') ?? '',
    message: get('error.message') ?? '',
    application: get('application'),
    step: get('step'),
    origin,
    cut,
    headers: own,
    notReplayable: notWhole ?? (applied === undefined ? undefined : `whose record ${applied} has counted already`),
    notWhole,
    record: {
      key: named ? namedKey : record.key,
      value: record.value,
      timestamp: origin === undefined || origin.timestamp < 0 ? record.timestamp : origin.timestamp,
      headers: own,
    },
  };
}

function wrong(origin: LetterOrigin | undefined, cut: boolean, batch: boolean): string | undefined {
  if (origin === undefined) return 'of a row that a step had kept, and of no record of a topic';
  if (batch) return 'of a whole batch that cannot be read';
  return cut ? 'that holds only a part of its record, which was too large' : undefined;
}

function originOf(get: (name: string) => string | undefined): LetterOrigin | undefined {
  const topic = get('origin.topic');
  const [partition, offset, timestamp] = ['partition', 'offset', 'timestamp'].map((name) =>
    Number(get(`origin.${name}`) ?? Number.NaN),
  ) as [number, number, number];
  if (topic === undefined || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return undefined;
  return { topic, partition, offset, timestamp: Number.isSafeInteger(timestamp) ? timestamp : -1 };
}

function isPlace(name: string): boolean {
  return name === 'millrace.origin.topic' || name === 'millrace.row.step';
}

/** A key that did not fit is in a header before all others. */
function beforeKey(headers: Headers, error: number): number {
  return /^millrace\.(?:origin|row)\.key$/.test(headers[error - 1]?.[0] ?? '') ? error - 1 : error;
}

function beforePlace(headers: Headers, error: number): number {
  let at = error;
  while (at > 0 && /^millrace\.(?:origin|row)\./.test(headers[at - 1]?.[0] ?? '')) at -= 1;
  return at;
}
