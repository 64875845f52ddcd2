import type { DueIndex } from '../state/due-index.ts';
import type { DueRow } from '../state/due-store.ts';
import { freeNumber, SIDES } from '../state/row-numbers.ts';
import type { StepTime } from '../state/step-time.ts';
import type { TimedStore } from '../state/timed-store.ts';
import type { Waiting } from '../state/waiting.ts';
import { type JoinRules, type SideRules, sidesOf } from './join-rules.ts';
import { Sweep } from './sweep.ts';

/** After every {@link SWEEP_EVERY} records, some multiple of that number of rows is checked for expiry. */
const SWEEP_EVERY = 64;
const SWEPT_PER_RECORD = 4;

/** One side of a join. */
interface Side<K> extends SideRules {
  readonly name: 'left' | 'right';
  /** The bit that marks rows of this side in their numbers. */
  readonly bit: number;
  readonly rows: TimedStore<K, unknown>;
  /** Its records without a partner. */
  readonly alone: DueIndex<K>;
  /** Removes its rows when no partner can come for them. */
  readonly sweep: Sweep<K>;
}

/** Callbacks for the results of the join rules; called in order, synchronously. Times are those of records. */
export interface JoinEvents<K, W> {
  /**
   * Makes the row of a pair, or of a record without a partner. If it throws, the current record fails, or only that
   * row.
   */
  combine(
    key: NonNullable<K>,
    left: unknown,
    right: unknown,
    leftTime: number | undefined,
    rightTime: number | undefined,
  ): W;
  /** The current record has found a partner. */
  matched(key: NonNullable<K>, row: W, timestamp: number): void;
  /** No partner has arrived for a record, and none can. */
  alone(key: NonNullable<K>, row: W, timestamp: number): void;
  /**
   * The row of a record without a partner could not be made, or the record could not be read; `stored` then has its
   * bytes.
   */
  aloneFailed(error: unknown, key: NonNullable<K>, timestamp: number, value: unknown, stored?: Uint8Array): void;
  /** The current record is late for its side. */
  late(side: 'left' | 'right', start: number, end: number): void;
}

/**
 * The rules of joins between streams, free of Observables, clocks and topics.
 *
 * Both sides share one stream time. A record first advances it, within its limit, which emits the rows of records whose
 * time for a partner is over. Then the record is joined with its partners in order of time, and finally stored. If user
 * code throws, nothing has changed.
 */
export class StreamJoin<K, W> {
  readonly #left: Side<K>;
  readonly #right: Side<K>;
  readonly #due: Waiting<K, 'left' | 'right'>;
  readonly #events: JoinEvents<K, W>;
  /** A row is no longer needed once stream time is further ahead of it. */
  readonly #keepMs: number;
  readonly #sweeps: readonly Sweep<K>[];
  #unswept = 0;
  /** The possible bits of rows in one store. */
  readonly #bits: readonly number[];
  /** Rows of the current record, with their times and partners. */
  readonly #made: W[] = [];
  readonly #times: number[] = [];
  readonly #partners: Side<K>[] = [];
  readonly #partnerTimes: number[] = [];

  /**
   * @param right - The rows of the right side; the same as those of the left side if a stream is joined with itself.
   */
  constructor(
    rules: JoinRules,
    left: TimedStore<K, unknown>,
    right: TimedStore<K, unknown>,
    due: Waiting<K, 'left' | 'right'>,
    events: JoinEvents<K, W>,
  ) {
    const sides = sidesOf(rules);
    this.#bits = left === right ? [SIDES.left | SIDES.right, SIDES.left, SIDES.right] : [0];
    this.#due = due;
    this.#events = events;
    this.#keepMs = Math.max(sides.left.keepMs, sides.right.keepMs);
    const sweepOf = (rows: TimedStore<K, unknown>): Sweep<K> => new Sweep(rows, due.time.seen);
    const [leftSweep, rightSweep] = [sweepOf(left), sweepOf(right)];
    this.#left = {
      ...sides.left,
      name: 'left',
      bit: SIDES.left,
      rows: left,
      alone: due.part('left'),
      sweep: leftSweep,
    };
    this.#right = {
      ...sides.right,
      name: 'right',
      bit: SIDES.right,
      rows: right,
      alone: due.part('right'),
      sweep: rightSweep,
    };
    // Rows that one store keeps for both sides are noted as those of the left one.
    this.#sweeps = left === right ? [leftSweep] : [leftSweep, rightSweep];
  }

  addLeft(key: NonNullable<K>, value: unknown, timestamp: number): void {
    this.#add(this.#left, this.#right, key, value, timestamp);
  }

  addRight(key: NonNullable<K>, value: unknown, timestamp: number): void {
    this.#add(this.#right, this.#left, key, value, timestamp);
  }

  /**
   * Adds a record of a stream that is joined with itself: first as one of the left side, then as one of the right side.
   */
  addBoth(key: NonNullable<K>, value: unknown, timestamp: number): void {
    const [left, right] = [this.#left, this.#right];
    const streamTime = this.#due.time.reach(timestamp);
    const asLeft = streamTime <= timestamp + left.lateMs;
    const asRight = streamTime <= timestamp + right.lateMs;
    this.#forgetMatches();
    const leftFound = asLeft && this.#find(left, right, key, value, timestamp, false);
    const meetsItself = asLeft && asRight && left.backMs >= 0 && left.aheadMs >= 0;
    const rightFound = asRight && this.#find(right, left, key, value, timestamp, meetsItself);
    if (asLeft || asRight) {
      this.#keep(left, key, value, timestamp, (asLeft ? left.bit : 0) | (asRight ? right.bit : 0));
      this.#due.time.observe(timestamp);
      this.#settle();
    }
    if (!asLeft) this.#late(left, timestamp);
    if (!asRight) this.#late(right, timestamp);
    if (asLeft && !leftFound && !meetsItself) this.#await(left, key, value, timestamp);
    this.#emit(key);
    if (asRight && !rightFound) this.#await(right, key, value, timestamp);
  }

  /** The limit of stream time has risen: emits what waited for that. */
  advance(): void {
    if (this.#due.time.advance()) this.#settle();
  }

  get time(): StepTime {
    return this.#due.time;
  }

  /**
   * Stream time at which the first waiting record runs out of time for a partner, or slightly before; `Infinity` if
   * none waits.
   */
  get nextAlone(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { alone, finalMs, pads } of [this.#left, this.#right]) {
      if (pads) next = Math.min(next, alone.first + finalMs + 1);
    }
    return next;
  }

  /** Lower bound for the timestamps of records that wait for a partner; `Infinity` if none waits. */
  get oldestAlone(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { alone, pads } of [this.#left, this.#right]) if (pads) oldest = Math.min(oldest, alone.first);
    return oldest;
  }

  /** Advances stream time without a record until no record waits for a partner. */
  closeAll(): void {
    let last = -1;
    for (const { alone, finalMs, pads } of [this.#left, this.#right]) {
      if (pads) for (const { time } of alone.all()) last = Math.max(last, time + finalMs + 1);
    }
    if (last < 0) return;
    this.#due.time.moveTo(last);
    this.#settle();
  }

  #add(own: Side<K>, other: Side<K>, key: NonNullable<K>, value: unknown, timestamp: number): void {
    const { time } = this.#due;
    if (time.reach(timestamp) > timestamp + own.lateMs) {
      this.#late(own, timestamp);
      return;
    }
    this.#forgetMatches();
    const found = this.#find(own, other, key, value, timestamp, false);
    this.#keep(own, key, value, timestamp, 0);
    time.observe(timestamp);
    this.#settle();
    if (!found) this.#await(own, key, value, timestamp);
    this.#emit(key);
  }

  #late({ aheadMs, backMs, name }: Side<K>, timestamp: number): void {
    this.#events.late(name, Math.max(0, timestamp - backMs), Math.max(0, timestamp + aheadMs));
  }

  /**
   * Combines a record with its partners. @param itself - Whether it is its own partner. @returns Whether there are any.
   */
  #find(
    own: Side<K>,
    other: Side<K>,
    key: NonNullable<K>,
    value: unknown,
    timestamp: number,
    itself: boolean,
  ): boolean {
    const before = this.#made.length;
    const last = timestamp + own.aheadMs;
    let toCome = itself;
    if (last >= 0) {
      const shared = own.rows === other.rows;
      for (const row of other.rows.list(key, Math.max(0, timestamp - own.backMs), last)) {
        if (shared && (row.number & other.bit) === 0) continue;
        if (toCome && row.time > timestamp) {
          toCome = false;
          this.#match(own, other, key, value, timestamp, value, timestamp);
        }
        this.#match(own, other, key, value, timestamp, row.value, row.time);
      }
    }
    if (toCome) this.#match(own, other, key, value, timestamp, value, timestamp);
    return this.#made.length > before;
  }

  #match(
    own: Side<K>,
    other: Side<K>,
    key: NonNullable<K>,
    value: unknown,
    timestamp: number,
    partner: unknown,
    partnerTime: number,
  ): void {
    const made =
      own === this.#left
        ? this.#events.combine(key, value, partner, timestamp, partnerTime)
        : this.#events.combine(key, partner, value, partnerTime, timestamp);
    this.#made.push(made);
    this.#times.push(partnerTime > timestamp ? partnerTime : timestamp);
    this.#partners.push(other);
    this.#partnerTimes.push(partnerTime);
  }

  #forgetMatches(): void {
    if (this.#made.length === 0) return;
    this.#made.length = 0;
    this.#times.length = 0;
    this.#partners.length = 0;
    this.#partnerTimes.length = 0;
  }

  /** Stores a record for later partners. */
  #keep({ rows, sweep }: Side<K>, key: NonNullable<K>, value: unknown, timestamp: number, bits: number): void {
    const { seen } = this.#due.time;
    // No row is newer than what was seen before, so most records are alone at their time.
    const number = timestamp > seen ? 0 : freeNumber(rows, key, timestamp, this.#bits);
    const place = rows.put(key, timestamp, value, number + bits);
    sweep.note(place);
    this.#unswept += 1;
    if (this.#unswept === SWEEP_EVERY) this.#sweep(timestamp > seen ? timestamp : seen);
  }

  /**
   * Removes rows for which no partner can arrive. It removes a few at a time, but more than were stored since the last
   * sweep, so that no row stays much longer than needed.
   */
  #sweep(newest: number): void {
    this.#unswept = 0;
    const until = this.#due.time.streamTime - this.#keepMs - 1;
    for (const sweep of this.#sweeps) sweep.go(SWEEP_EVERY * SWEPT_PER_RECORD, until, newest);
  }

  /** Handles a record without a partner: one may still arrive, or the record is final already. */
  #await(own: Side<K>, key: NonNullable<K>, value: unknown, timestamp: number): void {
    if (!own.pads) return;
    if (this.#due.time.streamTime <= timestamp + own.finalMs) own.alone.add(timestamp, key);
    else this.#alone(own, key, value, timestamp);
  }

  #emit(key: NonNullable<K>): void {
    for (let at = 0; at < this.#made.length; at += 1) {
      const partner = this.#partners[at] as Side<K>;
      const time = this.#partnerTimes[at] as number;
      if (partner.pads && partner.alone.first <= time && partner.alone.has(time, key)) partner.alone.delete(time, key);
    }
    for (let at = 0; at < this.#made.length; at += 1) {
      this.#events.matched(key, this.#made[at] as W, this.#times[at] as number);
    }
  }

  /** Emits the rows of records whose time for a partner is over. */
  #settle(): void {
    const { streamTime } = this.#due.time;
    const [left, right] = [this.#left, this.#right];
    if (streamTime > left.alone.first + left.finalMs || streamTime > right.alone.first + right.finalMs) {
      const lefts = left.alone.take(streamTime - left.finalMs - 1);
      const rights = right.alone.take(streamTime - right.finalMs - 1);
      for (const { row, side } of inOrder(rights, right, lefts, left)) this.#closed(side, row);
    }
  }

  #closed(side: Side<K>, { key, time }: DueRow<K, true>): void {
    // The join may have had another type before.
    if (!side.pads) return;
    const values: unknown[] = [];
    try {
      for (const { number, value } of side.rows.range(key, time, time)) {
        if (number % 4 === 0 || (number & side.bit) !== 0) values.push(value);
      }
    } catch (error) {
      for (const stored of side.rows.stored(key, time)) this.#events.aloneFailed(error, key, time, null, stored);
      return;
    }
    for (const value of values) this.#alone(side, key, value, time);
  }

  #alone({ name }: Side<K>, key: NonNullable<K>, value: unknown, time: number): void {
    let row: W;
    try {
      row =
        name === 'left'
          ? this.#events.combine(key, value, null, time, undefined)
          : this.#events.combine(key, null, value, undefined, time);
    } catch (error) {
      // A failed row must not lose the other rows of the same moment.
      this.#events.aloneFailed(error, key, time, value);
      return;
    }
    this.#events.alone(key, row, time);
  }
}

/** Records of both sides in order of time, those of the right side first, then of key bytes. */
function inOrder<K>(
  rights: readonly DueRow<K, true>[],
  right: Side<K>,
  lefts: readonly DueRow<K, true>[],
  left: Side<K>,
): readonly { readonly row: DueRow<K, true>; readonly side: Side<K> }[] {
  const all = [...rights.map((row) => ({ row, side: right })), ...lefts.map((row) => ({ row, side: left }))];
  return rights.length === 0 || lefts.length === 0 ? all : all.sort((one, other) => one.row.time - other.row.time);
}
