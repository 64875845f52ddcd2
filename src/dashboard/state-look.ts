import { MillraceError } from '../errors.ts';
import { preview } from '../options/preview.ts';
import type { App } from '../runtime/app/app-handle.ts';
import type { StoredRow, StoreView } from '../runtime/app/store-view.ts';
import type { ShownRow, StateAnswer } from './live-data.ts';
import type { Shown } from './shown.ts';

const MAX_ROWS = 100;
/** The time limit for a search through a store, in ms, because it blocks the tasks. */
const MAX_MS = 30;

type View = StoreView<unknown, unknown>;

/** A query of a store. */
export interface StateQuestion {
  readonly store: string;
  /** A key or a prefix; empty for all entries. */
  readonly key: string;
  /** Whether to match keys whose shown form starts with it. */
  readonly prefix: boolean;
}

/** Looks up a key in a store with all its windows, or the keys that start with it. */
export function lookIntoState(
  app: Pick<App, 'store'>,
  { key, prefix, store }: StateQuestion,
  shown: Shown,
): StateAnswer {
  const view: View = app.store(store);
  const show = (row: StoredRow<unknown, unknown>): ShownRow => {
    const { timestamp, window } = row as { readonly timestamp?: number; readonly window?: ShownRow['window'] };
    return { key: shown.key(row.key, store), value: shown.value(row.value, store), timestamp, window };
  };
  if (key === '' || prefix) return scan(view, key, show);
  let elsewhere: string | undefined;
  for (const candidate of candidates(key)) {
    try {
      const rows = rowsOf(view, candidate);
      if (rows.length > 0)
        return { rows: rows.slice(0, MAX_ROWS).map(show), more: rows.length > MAX_ROWS, note: undefined };
    } catch (error) {
      // A key of another type, or of a partition that is not in this process.
      if (error instanceof MillraceError && error.code === 'ERR_STATE_ELSEWHERE') elsewhere = error.message;
      if (error instanceof MillraceError && error.code === 'ERR_OPTION') return scan(view, key, show);
    }
  }
  return { rows: [], more: false, note: elsewhere };
}

/** The possible meanings of a text: a string, a number, or JSON. */
function candidates(text: string): unknown[] {
  const all: unknown[] = [text];
  if (/^-?\d+$/.test(text)) all.push(Number(text), BigInt(text));
  else if (/^[[{"\d.-]|^(true|false)$/.test(text)) {
    try {
      all.push(JSON.parse(text));
    } catch {
      // It is not JSON.
    }
  }
  return all;
}

function rowsOf(view: View, key: unknown): StoredRow<unknown, unknown>[] {
  try {
    const row = view.get(key);
    return row === undefined ? [] : [row];
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'ERR_OPTION') throw error;
  }
  const rows: StoredRow<unknown, unknown>[] = [];
  for (const row of view.windowsOf(key)) {
    rows.push(row);
    if (rows.length > MAX_ROWS) break;
  }
  return rows;
}

function scan(view: View, prefix: string, show: (row: StoredRow<unknown, unknown>) => ShownRow): StateAnswer {
  const until = performance.now() + MAX_MS;
  const rows: ShownRow[] = [];
  let looked = 0;
  for (const row of view.entries()) {
    looked += 1;
    if (rows.length >= MAX_ROWS || performance.now() > until) {
      return { rows, more: true, note: `looked at ${looked - 1} entries; there are more` };
    }
    if (beginsWith(row.key, prefix)) rows.push(show(row));
  }
  return { rows, more: false, note: undefined };
}

function beginsWith(key: unknown, prefix: string): boolean {
  if (prefix === '') return true;
  return typeof key === 'string' ? key.startsWith(prefix) : preview(key, prefix.length + 20).startsWith(prefix);
}
