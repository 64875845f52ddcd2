import type { SessionWindower } from '../../windows/windower.ts';
import { type Arrival, byKey, type ModelFold, type ModelOutput, recordOf, sameKey } from './model.ts';
import type { WindowRules } from './window-by.ts';

interface Session<K, A> {
  readonly key: NonNullable<K>;
  readonly first: number;
  readonly last: number;
  readonly state: A;
}

/** Session windows, as a list of open sessions. */
export class SessionRules<K, V, A, R> implements WindowRules<K, V, R> {
  readonly dropped: number = 0;
  late = 0;
  readonly #windower: SessionWindower;
  readonly #fold: ModelFold<V, A, R>;
  #sessions: Session<K, A>[] = [];
  #closing: Session<K, A>[] = [];
  #streamTime = -1;

  constructor(windower: SessionWindower, fold: ModelFold<V, A, R>) {
    this.#windower = windower;
    this.#fold = fold;
  }

  add(arrival: Arrival<K, V>): ModelOutput<K, R>[] {
    const { gapMs } = this.#windower;
    const { key, timestamp } = arrival;
    this.#moveTo(Math.max(this.#streamTime, timestamp));
    const found = this.#sessions
      .filter((each) => sameKey(each.key, key) && each.last >= timestamp - gapMs && each.first <= timestamp + gapMs)
      .sort((one, other) => one.last - other.last || one.first - other.first);
    const first = Math.min(timestamp, ...found.map((each) => each.first));
    const last = Math.max(timestamp, ...found.map((each) => each.last));
    if (this.#isClosed(last)) {
      this.late += 1;
      return [];
    }
    // The states of merged sessions are merged in their order, then the record is added.
    const merge = this.#fold.merge?.bind(this.#fold);
    const before = found.reduce((state, each) => merge?.(state, each.state) ?? each.state, this.#fold.init());
    const state = this.#fold.add(before, arrival.value, recordOf(arrival));
    this.#sessions = this.#sessions.filter((each) => !found.includes(each));
    const rows = first === last ? [] : found.map((each) => ({ ...this.#rowOf(each), value: null }));
    if (state === null) return [...rows, { key, value: null, timestamp: last, window: { start: first, end: last } }];
    const made = { key, first, last, state };
    this.#sessions.push(made);
    return [...rows, this.#rowOf(made)];
  }

  closed(): ModelOutput<K, R>[] {
    return this.#closing
      .splice(0)
      .sort((one, other) => one.last - other.last || one.first - other.first || byKey(one, other))
      .map((session) => this.#rowOf(session));
  }

  open(): ModelOutput<K, R>[] {
    return this.#sessions.map((session) => this.#rowOf(session));
  }

  end(): void {
    this.#moveTo(Number.POSITIVE_INFINITY);
  }

  /** Sessions that have ended are closed before a record looks for its own. */
  #moveTo(time: number): void {
    this.#streamTime = time;
    this.#closing.push(...this.#sessions.filter(({ last }) => this.#isClosed(last)));
    this.#sessions = this.#sessions.filter(({ last }) => !this.#isClosed(last));
  }

  #isClosed(last: number): boolean {
    return this.#streamTime > last + this.#windower.gapMs + this.#windower.graceMs;
  }

  #rowOf({ first, key, last, state }: Session<K, A>): ModelOutput<K, R> {
    return { key, value: this.#fold.result(state), timestamp: last, window: { start: first, end: last } };
  }
}
