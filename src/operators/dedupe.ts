import type { Observable, OperatorFunction } from 'rxjs';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, type OptionNames } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import { dedupeRule } from '../pacing/dedupe-rule.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { checkStoreName } from './keyed.ts';
import { graceMsOf, paced } from './pacing.ts';
import type { KeyedRecord } from './record-types.ts';

/** @public */
export interface DedupeOptions<R extends StreamRecord<unknown, unknown>> {
  /**
   * Name of the state store, unique in a pipeline; a second store has the suffix `-open`. Keep the name when the
   * pipeline changes.
   */
  readonly store: string;
  /** The largest distance in event time, inclusive, at which two records are duplicates of each other. */
  readonly within: Duration;
  /** How far behind stream time a record may be without being late. */
  readonly grace: Duration;
  /**
   * Returns what must be equal in duplicates besides the key (default: only the key is compared). Two parts are equal
   * if their MessagePack encodings are. A record for which it returns null or undefined is never a duplicate: it
   * passes.
   */
  readonly by?: (value: R['value'], record: R) => unknown;
  /** What to do with duplicates: a separate pipeline in the same stage. Without it they are discarded. */
  readonly duplicates?: (records: Observable<KeyedRecord<R>>) => Observable<unknown>;
  /** What to do with late records besides counting them: a separate pipeline in the same stage. */
  readonly late?: (records: Observable<LateRecord<NonNullable<R['key']>, R['value']>>) => Observable<unknown>;
}

const OPTIONS: OptionNames<DedupeOptions<StreamRecord<unknown, unknown>>> = {
  store: true,
  within: true,
  grace: true,
  by: true,
  duplicates: true,
  late: true,
};

/**
 * Passes a record on and discards the other records of its key that are close to it in event time.
 *
 * ```text
 * dedupe({ within: '10s', grace: '0s', store: 'seen' })
 *
 * source  --a:1(0s)--b:1(2s)--a:1(10s)--a:1(11s)--|
 * result  --a:1(0s)--b:1(2s)------------a:1(11s)--|
 * ```
 *
 * A record is a duplicate if it is at most `within` away from a record that has passed, earlier or later. A discarded
 * record is not compared with later ones, so a continuous signal lets one record pass from time to time. Of several
 * duplicates the first to arrive passes. The record is unchanged: value, timestamp, headers and partition stay.
 *
 * A record more than `grace` behind stream time is late: it is no longer known whether a duplicate of it has passed. It
 * is counted, goes to `late`, and does not pass. A null key is dropped and counted, and does not advance stream time; a
 * null value is treated like any other. Passed records are remembered for `within` plus `grace` of stream time, across
 * restarts too. You can change `within` and `grace` later. No clock is read.
 *
 * @param options - `store`, `within` and `grace` are required.
 * @returns The records, unchanged and without duplicates.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`, `ERR_ASYNC_FUNCTION`; when planned `ERR_KEY_CHANGED`,
 * `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 *
 * @example Events that their sender may send twice
 * ```ts
 * import { dedupe, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const events = topic('events', { key: string(), value: json<{ id: string }>() });
 * const once = topic('events-once', { key: string(), value: json<{ id: string }>() });
 * const driver = new TestDriver(
 *   events.pipe(dedupe({ by: (event) => event.id, within: '10m', grace: '1m', store: 'seen' }), to(once)),
 * );
 * for (const id of ['x', 'y', 'x']) driver.pipe(events, { key: 'ada', value: { id }, timestamp: 0 });
 * driver.restart();
 * driver.pipe(events, { key: 'ada', value: { id: 'y' }, timestamp: 60_000 });
 * console.log(driver.read(once).map(({ value }) => value?.id).join());
 * // => x,y
 * ```
 * @public
 */
export function dedupe<R extends StreamRecord<unknown, unknown>>(
  options: DedupeOptions<R>,
): OperatorFunction<R, KeyedRecord<R>> {
  checkNames('dedupe', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'dedupe');
  const where = `dedupe(${name})`;
  const { by, duplicates, late } = options;
  const withinMs = durationMs(options.within, `${where}: within`);
  const graceMs = graceMsOf(where, options.grace);
  if (by !== undefined) checkWork(`${where}: by`, by, 'dedupe({ by: (event) => event.id, … })');
  return paced<R, KeyedRecord<R>>({
    step: 'dedupe',
    name,
    rule: dedupeRule(withinMs, graceMs),
    fingerprint: by === undefined ? 'dedupe by key' : 'dedupe by key and part',
    ...(by === undefined ? {} : { part: partOf(by) }),
    missed: (timestamp) => [{ start: Math.max(0, timestamp - withinMs), end: timestamp + withinMs }],
    late,
    leftOut: duplicates,
  });
}

const PARTS = msgpack<unknown>();

/** Identifies records by their keys and a part of their values: `[length of the key][key][part]`. */
function partOf<R extends StreamRecord<unknown, unknown>>(by: (value: R['value'], record: R) => unknown) {
  return (record: StreamRecord<unknown, unknown>, key: Uint8Array): Uint8Array | undefined => {
    const part = settled(by(record.value, record as R));
    if (part === null || part === undefined) return undefined;
    const written = PARTS.serialize(part);
    const id = new Uint8Array(4 + key.length + written.length);
    new DataView(id.buffer).setUint32(0, key.length);
    id.set(key, 4);
    id.set(written, 4 + key.length);
    return id;
  };
}
