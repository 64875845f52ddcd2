import type { HeldRecord } from '../state/held-record.ts';
import type { Entry, KeyValueStore } from '../state/key-value-store.ts';
import { OldestHeld } from '../state/oldest-held.ts';
import type { StepTime } from '../state/step-time.ts';
import type { Waiting } from '../state/waiting.ts';
import type { Rule } from './rule.ts';
import { NO_SPELLS, type Spell, type Spells } from './spell.ts';

/** Callbacks for the fate of records; called in order, synchronously. */
export interface PacedEvents<K> {
  /** Emit the record that a spell held back: the spell has closed or is complete. */
  released(key: NonNullable<K>, held: HeldRecord): void;
  /** The current record passes at once. */
  passed(): void;
  /** The current record is discarded. */
  leftOut(): void;
  /** The current record is late. */
  late(): void;
  /** The spells of a key could not be read when one of them closed. */
  unread(error: unknown, key: NonNullable<K>): void;
}

/**
 * Applies a rule to the spells of the keys of one task; free of Observables, clocks and topics. A record first advances
 * time; spells that close then are emitted in order of time, then of key bytes; then the record itself is handled.
 */
export class PacedKeys<K> {
  readonly #rule: Rule;
  readonly #store: KeyValueStore<K, Spells>;
  readonly #waiting: Waiting<K, 'closes'>;
  readonly #events: PacedEvents<K>;
  readonly #held: OldestHeld;

  constructor(rule: Rule, store: KeyValueStore<K, Spells>, waiting: Waiting<K, 'closes'>, events: PacedEvents<K>) {
    this.#rule = rule;
    this.#store = store;
    this.#waiting = waiting;
    this.#events = events;
    this.#held = new OldestHeld(this.#closings, () => this.#stored());
  }

  get time(): StepTime {
    return this.#waiting.time;
  }

  get streamTime(): number {
    return this.#waiting.time.streamTime;
  }

  /** Stream time at which the first spell closes, or slightly before; `Infinity` if none is open. */
  get nextClose(): number {
    return this.#closings.first;
  }

  add(key: NonNullable<K>, record: HeldRecord): void {
    const { time } = this.#waiting;
    time.observe(record.timestamp);
    this.#settle();
    const entry = this.#store.entry(key);
    const before = entry.value ?? NO_SPELLS;
    const verdict = this.#rule.take(before, record, time.streamTime);
    if (verdict.spells !== before) this.#put(key, entry, before, verdict.spells);
    if (verdict.record === 'passes') this.#events.passed();
    else if (verdict.record === 'late') this.#events.late();
    else if (verdict.spells === before) this.#events.leftOut();
    if (verdict.row !== undefined) this.#events.released(key, verdict.row);
  }

  /** The limit of stream time has risen. */
  advance(): void {
    if (this.#waiting.time.advance()) this.#settle();
  }

  /** Advances stream time without a record until nothing is held back. */
  closeAll(): void {
    let last = -1;
    for (const { time } of this.#closings.all()) last = time;
    if (last < 0) return;
    this.#waiting.time.moveTo(last);
    this.#settle();
  }

  /** Lower bound for the timestamps of held-back records; `Infinity` if there are none. */
  get oldest(): number {
    return this.#held.oldest;
  }

  *#stored(): Generator<number> {
    for (const { key } of this.#closings.all()) yield* this.#older(this.#readable(key));
  }

  /** The spells of a key; unreadable ones count as none. */
  #readable(key: NonNullable<K>): Spells {
    try {
      return this.#store.entry(key).value ?? NO_SPELLS;
    } catch {
      return NO_SPELLS;
    }
  }

  /** How much older held-back records are than the closing time of their spells. */
  *#older(spells: Spells): Generator<number> {
    for (const spell of spells) if (spell.held !== undefined) yield this.#closing(spell) - spell.held.timestamp;
  }

  get #closings() {
    return this.#waiting.part('closes');
  }

  #closing({ end }: Spell): number {
    return end + this.#rule.closesAfterMs;
  }

  #settle(): void {
    for (const { key, time } of this.#closings.take(this.streamTime)) this.#close(key, time);
  }

  /** Closes the spells of a key that are due at a time. */
  #close(key: NonNullable<K>, time: number): void {
    let entry: Entry<Spells>;
    try {
      entry = this.#store.entry(key);
    } catch (error) {
      this.#events.unread(error, key);
      this.#store.set(key, undefined, -1);
      return;
    }
    const before = entry.value ?? NO_SPELLS;
    let open = before.filter((spell) => this.#closing(spell) > time);
    if (open.length === before.length) {
      // The rule may have had a different length when the spells were stored.
      open = before.filter((spell) => this.#closing(spell) > this.streamTime);
      for (const spell of open) this.#closings.add(this.#closing(spell), key);
      if (open.length === before.length) return;
    }
    this.#put(key, entry, before, open);
    for (const spell of before) {
      if (spell.held !== undefined && !open.includes(spell)) this.#events.released(key, spell.held);
    }
  }

  /** @throws if changes are checked and this one cannot be stored; nothing has changed then. */
  #put(key: NonNullable<K>, entry: Entry<Spells>, before: Spells, after: Spells): void {
    const last = after.at(-1);
    if (last === undefined) this.#store.delete(entry);
    else this.#store.put(entry, after, last.held?.timestamp ?? last.start);
    for (const older of this.#older(after)) this.#held.add(older);
    const had = before.map((spell) => this.#closing(spell));
    const has = after.map((spell) => this.#closing(spell));
    for (const time of had) if (!has.includes(time) && time > this.streamTime) this.#closings.delete(time, key);
    for (const time of has) if (!had.includes(time)) this.#closings.add(time, key);
  }
}
