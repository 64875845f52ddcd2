import type { OperatorFunction } from 'rxjs';
import { type Instance, node } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { ConfigError, FatalError } from '../errors.ts';
import { rowOfHeld } from '../operators/held-row.ts';
import { checkStoreName, keySerdeOf } from '../operators/keyed.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkOneOf, checkWhole } from '../options/option-checks.ts';
import type { StreamRecord, WindowedRecord } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import type { Serde } from '../serdes/serde.ts';
import { type HeldRecord, heldCodec } from '../state/held-record.ts';
import { rememberingKeys } from '../state/remembering-keys.ts';
import { declareStore } from '../state/store-spec.ts';
import { type SuppressedRow, Suppressor, type SuppressRules } from '../state/suppressor.ts';
import { TimedStore } from '../state/timed-store.ts';
import { Waiting } from '../state/waiting.ts';
import { tableOf } from './table.ts';

/** How long rows are held back. @public */
export interface SuppressOptions<V> {
  /** `'close'`: until the window of the row has closed. A duration: so long after the first row of its key, in stream time. */
  readonly until: 'close' | Duration;
  /** Name of the stores, unique in a pipeline; they are called so, and with `-rows`. Keep it when the pipeline changes. */
  readonly store: string;
  /** The most rows that may wait. */
  readonly maxRecords?: number;
  /** The most bytes of rows that may wait, as they are stored. */
  readonly maxBytes?: number;
  /**
   * When more would wait: `stop` (default) ends the application (`ERR_SUPPRESS_FULL`); `emit` lets the first ones go on early, which
   * is not allowed for rows that are to be final.
   */
  readonly full?: 'emit' | 'stop';
  /** How values are kept; as MessagePack when left out. */
  readonly value?: Serde<V>;
}

const OPTIONS = { until: true, store: true, maxRecords: true, maxBytes: true, full: true, value: true } as const;

/**
 * Holds back rows that follow each other, and lets the newest one of each key go on: when its window has closed, or after a
 * time.
 *
 * ```text
 * suppress({ until: '5s', store: 'calm' })
 *
 * source  --a:1(0s)--a:2(3s)--b:7(4s)--a:3(6s)-------b:8(10s)--|
 * result  ----------------------------a:3(6s)--------b:8(10s)--|
 * ```
 *
 * Rows that wait are the newest of their key and window. They keep the time at which the first of them came, their own timestamp and headers, and
 * of changes of a table the row that was `before` the first of them. Those that are due together come by that time, then by key bytes.
 *
 * Until `'close'`, a row of a window is final: the time at which windows close is that of the window steps above, of the longest
 * where several meet. A window that was deleted, such as a merged session, gives nothing. With a duration a deletion is a row as others.
 * A row that is due when it comes goes on at once.
 *
 * Stream time is that of the rows that come here; no clock is read. What waits survives restarts. When a bounded run ends it
 * stays, unless the run was told to close windows. A null key is dropped and counted.
 *
 * @throws ConfigError `ERR_OPTION`, also for a table with history, whose versions all count, `ERR_STORE_NAME`, `ERR_DURATION`;
 * when planned `ERR_NO_WINDOW`, `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`. While running FatalError `ERR_SUPPRESS_FULL`.
 * @see {@link windowBy}, whose rows come on close unless it is told otherwise: for a single window nothing else is needed.
 *
 * @example
 * ```ts
 * import { json, string, suppress, table, to, topic, toStream } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const stock = table('stock', { key: string(), value: json<number>() });
 * const shown = topic('shown', { key: string(), value: json<number>() });
 * const driver = new TestDriver(stock.pipe(toStream(), suppress({ until: '5s', store: 'calm' }), to(shown)));
 * for (const [value, timestamp] of [[9, 0], [8, 1_000], [7, 2_000]] as const) driver.pipe(stock, { key: 'tea', value, timestamp });
 * driver.pipe(stock, { key: 'milk', value: 3, timestamp: 5_000 });
 * console.log(driver.read(shown).map(({ key, value }) => `${key} ${value}`).join());
 * // => tea 7
 * ```
 * @public
 */
export function suppress<R extends WindowedRecord<unknown, unknown>>(
  options: SuppressOptions<NonNullable<R['value']>> & { readonly until: 'close' },
): OperatorFunction<R, WindowedRecord<R['key'], NonNullable<R['value']>>>;
/** @public */
export function suppress<R extends StreamRecord<unknown, unknown>>(
  options: SuppressOptions<NonNullable<R['value']>> & { readonly until: Duration },
): OperatorFunction<R, R>;
export function suppress<R extends StreamRecord<unknown, unknown>>(
  options: SuppressOptions<NonNullable<R['value']>>,
): OperatorFunction<R, never> {
  checkNames('suppress', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'suppress');
  const where = `suppress(${name})`;
  const { full = 'stop', maxBytes, maxRecords, until } = options;
  checkOneOf(where, 'full', full, ['emit', 'stop']);
  checkWhole(where, 'maxRecords', maxRecords, 1);
  checkWhole(where, 'maxBytes', maxBytes, 1);
  const onClose = until === 'close';
  if (onClose && full === 'emit') {
    throw new ConfigError('ERR_OPTION', `${where}: rows until close cannot go on early`, {
      hint: "they would not be final: leave full: 'emit' out, or wait for a time instead of the close",
    });
  }
  const limitMs = onClose ? 0 : durationMs(until, `${where}: until`);
  const value = options.value as unknown as Serde<unknown> | undefined;
  const rows = `${name}-rows`;
  const codec = heldCodec(value, rows);
  const fingerprint = `suppress ${onClose ? 'until close' : 'for a time'} as ${value?.name ?? 'msgpack'}`;
  const present = (held: HeldRecord): unknown => held.value;
  return (source) => {
    const table = tableOf(source);
    if (table?.historyMs !== undefined) {
      throw new ConfigError('ERR_OPTION', `${where}: the table has a history, of which every change counts`, {
        hint: 'declare the table without history where only its newest rows are wanted',
      });
    }
    // Who holds a row back must know of each write, also of deletions of what is not there.
    return node<SuppressedRow, never>([table?.writes ?? source], {
      name: 'suppress',
      detail: name,
      keepsTime: true,
      waits: true,
      needsKey: true,
      needsWindow: onClose,
      stores: [
        { name, fingerprint: 'suppress' },
        declareStore({ name: rows, kind: 'timed', key: 'upstream', value: codec, fingerprint, present }),
      ],
      create(step) {
        const rules: SuppressRules = {
          onClose,
          delayMs: onClose ? (step.place.closesAfterMs ?? 0) : limitMs,
          maxRecords: maxRecords ?? Number.POSITIVE_INFINITY,
          maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
          early: full === 'emit',
        };
        return suppressing(step, name, rows, codec, rules);
      },
    });
  };
}

function suppressing(
  step: Step<never>,
  name: string,
  rowsName: string,
  codec: ReturnType<typeof heldCodec>,
  rules: SuppressRules,
): Instance {
  const { task } = step;
  const keys = rememberingKeys(keySerdeOf<unknown>(step.place));
  const present = (held: HeldRecord): unknown => held.value;
  const rows = new TimedStore<unknown, HeldRecord>(task.openStore(rowsName), keys, codec, task.cacheEntries, present);
  const waiting = new Waiting<Uint8Array, 'rows'>(task.openStore(name), bytes(), task.time, task.cacheEntries, [
    'rows',
  ]);
  task.addState(rows);
  task.addState(waiting);
  const suppressor = new Suppressor<unknown>(rules, rows, waiting, keys, codec, {
    released: (key, held) => step.emitRow(key, rowOfHeld(key, held)),
    unread(error, key, content) {
      step.rowFailed(error, {
        key,
        keySerde: step.keySerde,
        window: undefined,
        timestamp: -1,
        holds: 'stored',
        content,
      });
    },
    full() {
      throw new FatalError('ERR_SUPPRESS_FULL', `${step.name} holds back more rows than it may`, {
        step: step.name,
        hint: "raise maxRecords or maxBytes, or let the first rows go on early with full: 'emit' where they need not be final",
      });
    },
  });
  return {
    take: [
      (row: SuppressedRow) => {
        if (row.key === null || row.key === undefined) step.drop('null key');
        else if (suppressor.add(row.key, row) && (!rules.onClose || row.value !== null)) step.out.next(row as never);
      },
    ],
    advance: () => suppressor.advance(),
    idle: { time: suppressor.time, due: () => suppressor.nextDue },
    holds: () => suppressor.oldest,
    closeAll: () => suppressor.closeAll(),
  };
}
