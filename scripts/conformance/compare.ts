import type { Input, Row } from './format.ts';
import type { Expected } from './models/expected.ts';
import type { Group, Outcome } from './run-case.ts';

/**
 * The first difference between what must come out and what came out, in lines for people; `undefined` if there is none.
 *
 * @param keysInAnyOrder - Rows of different keys that come at once may come in any order.
 */
export function difference(
  expected: Expected,
  { dropped, groups, late, store }: Outcome,
  keysInAnyOrder = false,
): string[] | undefined {
  let from = 0;
  for (const group of groups) {
    const wanted = expected.steps.slice(from, from + group.steps.length).flat();
    from += group.steps.length;
    const place = placeOf(from, expected.steps.length, group);
    if (expected.throws !== undefined && from > expected.throws) {
      return group.error === undefined ? [`${place} did not throw`] : undefined;
    }
    if (group.error !== undefined) return [`${place} threw ${message(group.error)}`];
    const [one, other] = keysInAnyOrder ? [byKey(wanted), byKey(group.rows)] : [wanted, group.rows];
    if (!rowsAgree(one, other)) return [place, ...against(wanted, group.rows)];
  }
  if (from < expected.steps.length) return [`ended after step ${from} of ${expected.steps.length}`];
  if (expected.dropped !== undefined && expected.dropped !== dropped) {
    return [`dropped: expected ${expected.dropped}, got ${dropped}`];
  }
  if (expected.late !== undefined && late !== undefined && expected.late !== late) {
    return [`late: expected ${expected.late}, got ${late}`];
  }
  if (expected.store !== undefined && store !== undefined) {
    const [wanted, got] = [sorted(expected.store), sorted(store)];
    if (!rowsAgree(wanted, got)) return ['store at the end', ...against(wanted, got)];
  }
  return undefined;
}

function message(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}

function placeOf(last: number, all: number, { steps }: Group): string {
  const inputs = steps.map((step) => showInput(step.in)).join(', ');
  const numbers = steps.length === 1 ? `step ${last}` : `steps ${last - steps.length + 1} to ${last}`;
  return `${numbers} of ${all} (${inputs})`;
}

/** Rows in order; expected ones that are marked as a wart may be missing. */
function rowsAgree(expected: readonly Row[], got: readonly Row[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return got.length === 0;
  if (got[0] !== undefined && show(first) === show(got[0]) && rowsAgree(rest, got.slice(1))) return true;
  return first.wart !== undefined && rowsAgree(rest, got);
}

function against(expected: readonly Row[], got: readonly Row[]): string[] {
  return [`  expected  ${showAll(expected)}`, `  got       ${showAll(got)}`];
}

function showAll(rows: readonly Row[]): string {
  return rows.length === 0 ? 'nothing' : rows.map(show).join('   ');
}

/** `a=1@3 [0,10)`; says all that counts of a row, so equal texts are equal rows. */
function show({ branch, key, timestamp, value, window }: Row): string {
  const span = window === undefined ? '' : ` [${window.start},${endOf(window.end)}]`;
  return `${JSON.stringify(key)}=${JSON.stringify(value)}@${timestamp}${span}${branch === undefined ? '' : ` in ${branch}`}`;
}

function showInput({ key, timestamp, topic, value }: Input): string {
  return `${topic} ${JSON.stringify(key)}=${JSON.stringify(value)}@${timestamp}`;
}

function sorted(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => compare(a.key ?? '', b.key ?? '') || (a.window?.start ?? 0) - (b.window?.start ?? 0));
}

/** Those of one key stay in their order. */
function byKey(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => compare(a.key ?? '', b.key ?? ''));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** An end that never comes is recorded as null. */
function endOf(end: number | null): number | string {
  return end === null || end === Number.POSITIVE_INFINITY ? '∞' : end;
}
