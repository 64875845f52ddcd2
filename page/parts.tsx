import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ShownRecord, StageState } from '../src/dashboard/live-data.ts';
import { count, time } from './format.ts';

const STATES: Readonly<Record<StageState, string>> = {
  running: 'running',
  idle: 'idle',
  behind: 'falling behind',
  stalled: 'stalled',
  waiting: 'waiting',
  starting: 'starting',
  failed: 'failed',
  stopped: 'stopped',
};

export function State({ state }: { readonly state: string }) {
  return <span class={`state is-${state}`}>{STATES[state as StageState] ?? state}</span>;
}

export function Figure(props: {
  readonly label: string;
  readonly value: string;
  readonly tone?: string;
  readonly note?: string;
}) {
  return (
    <div class={`figure ${props.tone ?? ''}`}>
      <dt>{props.label}</dt>
      <dd>
        {props.value}
        {props.note === undefined ? null : <small>{props.note}</small>}
      </dd>
    </div>
  );
}

export function Panel(props: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly class?: string;
}) {
  return (
    <section class={`panel ${props.class ?? ''}`}>
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  readonly number?: boolean;
}

interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly empty: string;
  /** Rows on a page. */
  readonly size?: number;
}

/** A table that shows a page of its rows: thousands of them cost no more than these. */
export function Table<T>({ columns, empty, keyOf, label, rows, size = 50 }: TableProps<T>) {
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const page = Math.min(wanted, pages - 1);
  const shown = rows.slice(page * size, (page + 1) * size);
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <div class="table">
      {/* Who uses the keyboard can scroll it. */}
      <div class="scroll" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map(({ number, title }) => (
                <th key={title} scope="col" class={number === true ? 'number' : ''}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map(({ cell, number, title }) => (
                  <td key={title} class={number === true ? 'number' : ''}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 ? (
        <nav class="pages" aria-label={`pages of ${label}`}>
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            previous
          </button>
          <span>
            {count(page * size + 1)}–{count(page * size + shown.length)} of {count(rows.length)}
          </span>
          <button type="button" disabled={page === pages - 1} onClick={() => setPage(page + 1)}>
            next
          </button>
        </nav>
      ) : null}
    </div>
  );
}

export function Window({ window }: { readonly window: { readonly start: number; readonly end: number } | undefined }) {
  if (window === undefined) return <span>–</span>;
  return (
    <span>
      {time(window.start)} to {time(window.end)}
    </span>
  );
}

/** What a record holds, as text and nothing else. */
export function Content({ headers, value }: Pick<ShownRecord, 'headers' | 'value'>) {
  return (
    <div class="content">
      <code>{value}</code>
      {headers.map(({ name, value }, at) => (
        <small key={`${at} ${name}`}>
          {name}: {value}
        </small>
      ))}
    </div>
  );
}
