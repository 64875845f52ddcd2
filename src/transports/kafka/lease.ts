/** A moment as two clocks tell it: one stands still while the machine sleeps, the other one may be set. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The same in all threads of a process, which the origin of `performance.now` is not. */
export function momentNow(): Moment {
  const [seconds, nanoseconds] = process.hrtime();
  return { monotonicMs: seconds * 1000 + Math.floor(nanoseconds / 1e6), wallMs: Date.now() };
}

/** What is known to have become of a spell of membership: it goes on, is over, or was ended from within. */
export type Fate = 'held' | 'lost' | 'left';
const FATES: readonly Fate[] = ['held', 'lost', 'left'];

const HELD_MONOTONIC = 0;
const HELD_WALL = 1;
const UNSURE = 2;
const ALIVE = 3;
const JOINING = 4;
const SPELL = 5;
const FATE = 6;
const BLOCKED = 7;
const SLOTS = 8;

/**
 * What the thread of a member and the one that stands in for it know of the membership, in memory that they share.
 *
 * Above all it says since when the coordinator is known to count on the member: from when a request was sent that it
 * acknowledged. The answer may have been read much later, as by a process that was stopped in between, so its time tells
 * nothing.
 */
export class Lease {
  readonly memory: SharedArrayBuffer;
  readonly #slots: BigInt64Array;
  readonly #now: () => Moment;

  constructor(
    now: () => Moment,
    memory: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.#now = now;
    this.memory = memory;
    this.#slots = new BigInt64Array(memory);
  }

  /** Another spell of membership begins, with a request that was sent then. @returns Its number. */
  begin(sent: Moment): number {
    const spell = this.#get(SPELL) + 1;
    this.#set(SPELL, spell);
    this.renew(sent, false);
    return spell;
  }

  /**
   * The coordinator has acknowledged what was sent then.
   *
   * @param unsure - The group is being shared out: a member that does not join again in time is given up.
   */
  renew(sent: Moment, unsure: boolean): void {
    if (sent.monotonicMs < this.#get(HELD_MONOTONIC)) return;
    this.#set(HELD_WALL, sent.wallMs);
    this.#set(HELD_MONOTONIC, sent.monotonicMs);
    this.#set(UNSURE, unsure ? 1 : 0);
  }

  get unsure(): boolean {
    return this.#get(UNSURE) === 1;
  }

  /** For how long nothing has been acknowledged, in milliseconds, by whichever clock says more. */
  get silenceMs(): number {
    const { monotonicMs, wallMs } = this.#now();
    return Math.max(monotonicMs - this.#get(HELD_MONOTONIC), wallMs - this.#get(HELD_WALL));
  }

  /** The spell with that number is over. */
  end(spell: number, fate: 'lost' | 'left', blockedMs: number): void {
    this.#set(BLOCKED, Math.round(blockedMs));
    this.#set(FATE, spell * FATES.length + FATES.indexOf(fate));
  }

  /** What has become of the spell that began last. */
  get fate(): Fate {
    const fate = this.#get(FATE);
    if (Math.floor(fate / FATES.length) !== this.#get(SPELL)) return 'held';
    return FATES[fate % FATES.length] ?? 'held';
  }

  /** For how long the thread of the member had been blocked when the spell ended, in milliseconds. */
  get blockedMs(): number {
    return this.#get(BLOCKED);
  }

  /** The thread of the member is at work. */
  live(): void {
    this.#set(ALIVE, this.#now().monotonicMs);
  }

  get aliveAt(): number {
    return this.#get(ALIVE);
  }

  /** Whether the member has asked to join: the next generation may have begun without it knowing. */
  get joining(): boolean {
    return this.#get(JOINING) === 1;
  }

  set joining(value: boolean) {
    this.#set(JOINING, value ? 1 : 0);
  }

  #get(slot: number): number {
    return Number(Atomics.load(this.#slots, slot));
  }

  #set(slot: number, value: number): void {
    Atomics.store(this.#slots, slot, BigInt(value));
  }
}
