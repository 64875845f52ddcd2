import type { SlidingWindower } from '../../windows/windower.ts';
import { type Arrival, byKey, folded, type ModelFold, type ModelOutput, nameOf, sameKey } from './model.ts';
import type { WindowRules } from './window-by.ts';

/** A window that was open when it started. */
interface Begun<K> {
  readonly key: NonNullable<K>;
  readonly start: number;
}

/**
 * Sliding windows: keeps every accepted record. The windows of a key are those that end at one of its records, and
 * those that start right after one and contain a later one; each contains all records of its span.
 */
export class SlidingRules<K, V, A, R> implements WindowRules<K, V, R> {
  readonly dropped: number = 0;
  late = 0;
  readonly #differenceMs: number;
  readonly #graceMs: number;
  readonly #fold: ModelFold<V, A, R>;
  readonly #arrivals: Arrival<K, V>[] = [];
  readonly #begun = new Map<string, Begun<K>>();
  readonly #emitted = new Set<string>();
  #streamTime = -1;

  constructor({ differenceMs, graceMs }: SlidingWindower, fold: ModelFold<V, A, R>) {
    this.#differenceMs = differenceMs;
    this.#graceMs = graceMs;
    this.#fold = fold;
  }

  add(arrival: Arrival<K, V>): ModelOutput<K, R>[] {
    const { key, timestamp } = arrival;
    const difference = this.#differenceMs;
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    if (this.#isClosed(timestamp)) {
      this.late += 1;
      return [];
    }
    const before = this.#startsOf(key);
    this.#arrivals.push(arrival);
    const after = this.#startsOf(key);
    const holds = (start: number): boolean => start <= timestamp && start + difference >= timestamp;
    const left = Math.max(0, timestamp - difference);
    const there = [...before].filter(holds).sort((one, other) => other - one);
    const fresh = [...after].filter((start) => !before.has(start));
    const behind = fresh.filter((start) => holds(start) && start !== left);
    const own = fresh.filter((start) => !holds(start));
    const lefts = fresh.filter((start) => start === left);
    const earlier = this.#arrivals.filter((each) => sameKey(each.key, key) && each.timestamp < timestamp);
    const previous = Math.max(-1, ...earlier.map((each) => each.timestamp));
    // Of the closed windows that were never open, a record misses the two that would begin with it.
    const misses = (start: number): boolean =>
      this.#isClosed(start) && (start === left || start === previous + 1 || this.#begun.has(placeOf(key, start)));
    this.late += [...there, ...behind, ...lefts].filter(misses).length;
    for (const start of fresh) if (!this.#isClosed(start)) this.#begun.set(placeOf(key, start), { key, start });
    const order =
      timestamp < difference
        ? [...there.reverse().filter((start) => start !== 0), ...own, ...behind, 0]
        : [...there, ...behind, ...lefts, ...own];
    return order.filter((start) => !this.#isClosed(start)).map((start) => this.#rowOf(key, start));
  }

  closed(): ModelOutput<K, R>[] {
    const fresh = this.#rows(true).filter(({ key, window }) => !this.#emitted.has(placeOf(key, window?.start ?? 0)));
    for (const { key, window } of fresh) this.#emitted.add(placeOf(key, window?.start ?? 0));
    return fresh;
  }

  open(): ModelOutput<K, R>[] {
    return this.#rows(false);
  }

  end(): void {
    this.#streamTime = Number.POSITIVE_INFINITY;
  }

  #isClosed(start: number): boolean {
    return start + this.#differenceMs < this.#streamTime - this.#graceMs;
  }

  #within(key: NonNullable<K>, start: number): Arrival<K, V>[] {
    return this.#arrivals.filter(
      (each) => sameKey(each.key, key) && each.timestamp >= start && each.timestamp <= start + this.#differenceMs,
    );
  }

  #startsOf(key: NonNullable<K>): Set<number> {
    const own = this.#arrivals.filter((each) => sameKey(each.key, key));
    const starts = new Set(own.map(({ timestamp }) => Math.max(0, timestamp - this.#differenceMs)));
    for (const { timestamp } of own) if (this.#within(key, timestamp + 1).length > 0) starts.add(timestamp + 1);
    return starts;
  }

  #rowOf(key: NonNullable<K>, start: number): ModelOutput<K, R> {
    const window = { start, end: start + this.#differenceMs };
    return { key, ...folded(this.#fold, this.#within(key, start)), window };
  }

  #rows(closed: boolean): ModelOutput<K, R>[] {
    return [...this.#begun.values()]
      .filter(({ start }) => this.#isClosed(start) === closed)
      .sort((one, other) => one.start - other.start || byKey(one, other))
      .map(({ key, start }) => this.#rowOf(key, start));
  }
}

function placeOf(key: unknown, start: number): string {
  return `${start} ${nameOf(key)}`;
}
