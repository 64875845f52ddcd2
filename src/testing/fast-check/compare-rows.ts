import { FatalError } from '../../errors.ts';
import type { Headers, StreamRecord } from '../../record.ts';
import { CheckFailed } from '../assertion-error.ts';
import type { TestDeadLetter } from '../dead-letters.ts';
import { sourceText } from '../source-text.ts';
import { type Outcome, outcomeOf, rowsOf, type Subject, stamped, stampOf, textOf, type Way } from './ways.ts';

/** A row as text for comparison, with its key. */
export interface RowText {
  readonly key: string;
  readonly text: string;
}

interface Row {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp?: number | undefined;
  readonly headers?: Headers;
}

/** Rows as texts for comparison: the order of the fields of an object does not matter. */
function textsOf(rows: readonly Row[]): RowText[] {
  return rows.map(({ headers = [], key: itsKey, timestamp, value }) => {
    const key = sourceText(itsKey, 'by name');
    const time = timestamp === undefined ? '' : `, timestamp: ${timestamp}`;
    const more = headers.length === 0 ? '' : `, headers: ${sourceText(headers)}`;
    return { key, text: `{ key: ${key}, value: ${sourceText(value, 'by name')}${time}${more} }` };
  });
}

/** How two ways are compared. */
export interface Comparison {
  /** The order of the rows that is compared. */
  readonly as: (rows: readonly RowText[]) => string[];
  /** What it means if they differ. */
  readonly why: string;
  /** Whether the headers of rows are compared, too (default: `true`). */
  readonly headers?: boolean;
}

/**
 * Checks that two ways lead to the same rows, late records and dead letters. Those of several stages have no order
 * between them. Headers are compared by a number that each record gets; a difference is shown with that number only if
 * nothing else differs.
 *
 * @throws CheckFailed
 */
export function agree<K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  one: Way<K, V>,
  other: Way<K, V>,
  { as: wanting, headers = true, why }: Comparison,
): void {
  const as = subject.ordered ? wanting : sorted;
  const outcome = (way: Way<K, V>): Outcome<RK, RV> => outcomeOf(subject, headers ? stamped(way) : way, way);
  const [wanted, got] = [outcome(one), outcome(other)];
  const late = ({ late: all }: Outcome<RK, RV>): string[] => {
    return sorted(textsOf(all.map(bare))).map((text) => `late: ${text}`);
  };
  const deadLetters = (all: Outcome<RK, RV>): string[] => sorted(all.deadLetters.map(letterText));
  const others = Object.entries({ late, deadLetters }).filter(([, of]) => differ(of(wanted), of(got)));
  const shown = (all: Outcome<RK, RV>): string[] => [
    ...as(textsOf(all.rows.map(bare))),
    ...others.flatMap(([, of]) => of(all)),
  ];
  const names = others.map(([name]) => name as 'late' | 'deadLetters');
  same(shown(wanted), shown(got), why, () => textOf(subject, other, names));
  if (headers) {
    const full = (all: Outcome<RK, RV>): string[] => as(textsOf(all.rows));
    same(full(wanted), full(got), why, () => textOf(subject, stamped(other)));
  }
}

function differ(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function bare({ key, timestamp, value }: StreamRecord<unknown, unknown>): Row {
  return { key, timestamp, value };
}

/** Without what depends on the way: the time of failure, and the place of the record. */
function letterText({ code, key: itsKey, step, value }: TestDeadLetter): RowText {
  const key = sourceText(itsKey);
  return { key, text: `dead letter: { code: '${code}', step: '${step}', key: ${key}, value: ${sourceText(value)} }` };
}

/**
 * The texts of expected and actual rows, both in the order of keys. Timestamps are left out where none is expected.
 *
 * @param expected - With keys and values as they are read from a topic.
 */
export function comparable(expected: readonly Row[], actual: readonly Row[]): readonly [string[], string[]] {
  const byKey = (rows: readonly Row[]): Row[] => {
    const keyed = rows.map((row) => ({ row, key: sourceText(row.key, 'by name') }));
    return keyed.toSorted((left, right) => compare(left.key, right.key)).map(({ row }) => row);
  };
  const wanted = byKey(expected.map(({ key, timestamp, value }) => ({ key, timestamp, value })));
  const timed = wanted.some(({ timestamp }) => timestamp !== undefined);
  const got = byKey(actual).map(({ key, timestamp, value }, at): Row => {
    const asked = timed && (at >= wanted.length || wanted[at]?.timestamp !== undefined);
    return asked ? { key, value, timestamp } : { key, value };
  });
  return [textsOf(wanted).map(({ text }) => text), textsOf(got).map(({ text }) => text)];
}

/** Rows sorted by key, keeping the order within each key: the order between keys is unspecified. */
export function inOrder(rows: readonly RowText[]): string[] {
  return rows.toSorted((left, right) => compare(left.key, right.key)).map(({ text }) => text);
}

/** Rows without regard to their order. */
export function sorted(rows: readonly RowText[]): string[] {
  return rows.map(({ text }) => text).toSorted(compare);
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Rows that come after a row of the same key with a later record. */
export function outOfOrder<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, way: Way<K, V>): string[] {
  const last = new Map<string, number>();
  const wrong = rowsOf(subject, way).filter((row) => {
    const number = stampOf(row);
    if (number === undefined) {
      throw new FatalError('ERR_NO_ORIGIN', 'a row does not have the headers of its record', {
        hint: 'the law "order" knows the record of a row by a header: leave it out for operators that make rows of their own',
      });
    }
    const key = sourceText(row.key, 'by name');
    const before = last.get(key) ?? -1;
    last.set(key, Math.max(before, number));
    return number < before;
  });
  return textsOf(wrong.map(bare)).map(({ text }) => text);
}

/** @throws CheckFailed when two outcomes differ */
export function same<T extends number | readonly string[]>(
  expected: T,
  actual: T,
  why: string,
  program: () => string,
): void {
  if (JSON.stringify(expected) === JSON.stringify(actual)) return;
  const show = (rows: number | readonly string[]): string => {
    if (typeof rows === 'number') return String(rows);
    return rows.length === 0 ? '  (none)' : rows.map((row) => `  ${row}`).join('\n');
  };
  const rows = typeof expected === 'number' ? '' : `\n\nexpected\n${show(expected)}\ngot\n${show(actual)}`;
  throw new CheckFailed(`${why}${rows}\n\n${program()}`, { actual, expected });
}
