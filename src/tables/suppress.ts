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

/** How long to hold rows back. @public */
export interface SuppressOptions<V> {
  /**
   * `'close'`: until the window of the row has closed. A duration: that long after the first waiting row of its key, in
   * stream time.
   */
  readonly until: 'close' | Duration;
  /**
   * Name of the state store, unique in a pipeline; a second store has the suffix `-rows`. Keep the name when the
   * pipeline changes.
   */
  readonly store: string;
  /** The most rows that may wait in a task. */
  readonly maxRecords?: number;
  /** The most bytes of stored rows that may wait in a task. */
  readonly maxBytes?: number;
  /**
   * What to do when more would wait: `stop` (default) ends the application (`ERR_SUPPRESS_FULL`); `emit` emits the
   * earliest rows before their time, which is not allowed with `'close'`.
   */
  readonly full?: 'emit' | 'stop';
  /** How values are stored (default: MessagePack). */
  readonly value?: Serde<V>;
}

const OPTIONS = { until: true, store: true, maxRecords: true, maxBytes: true, full: true, value: true } as const;

/**
 * Holds back successive rows and emits only the newest one of each key: when its window has closed, or after a time.
 *
 * ```text
 * suppress({ until: '5s', store: 'calm' })
 *
 * source  --a:1(0s)--a:2(3s)--b:7(4s)--a:3(6s)-------b:8(10s)--|
 * result  ----------------------------a:3(6s)--------b:8(10s)--|
 * ```
 *
 * The newest row of each key and window waits. It keeps the stream time at which the first such row arrived, its own
 * timestamp and headers, and, for changes of a table, the `before` of the first row. Rows that are due together are
 * emitted in order of that time, then of key bytes.
 *
 * With `'close'`, the emitted row of a window is final. A window closes when the window step above closes it; if
 * several steps meet, when the last of them does. A deleted window, such as a merged session, emits nothing. With a
 * duration, a deletion is a row like any other. A row that is already due on arrival is emitted immediately.
 *
 * Stream time is that of the rows that reach this step; no clock is read. Waiting rows survive restarts. When a bounded
 * run ends they stay in the store, unless the run closes windows. A null key is dropped and counted.
 *
 * @throws ConfigError `ERR_OPTION` (also for a table with history, where every version counts), `ERR_STORE_NAME`,
 * `ERR_DURATION`; when planned `ERR_NO_WINDOW`, `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`. While running
 * FatalError `ERR_SUPPRESS_FULL`.
 * @see {@link windowBy}, which emits on close by default: a single window step does not need `suppress`.
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
    // This step must see every write, including deletions of rows that do not exist.
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
  const waiting = new Waiting<Uint8Array, 'rows'>(task.openStore(name), bytes(), step.time, task.cacheEntries, [
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
