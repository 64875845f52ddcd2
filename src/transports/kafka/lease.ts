/** A moment on two clocks: one stops while the machine sleeps, the other may be adjusted. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Comparable across the threads of a process, unlike `performance.now`. */
export function momentNow(): Moment {
  const [seconds, nanoseconds] = process.hrtime();
  return { monotonicMs: seconds * 1000 + Math.floor(nanoseconds / 1e6), wallMs: Date.now() };
}

/** The known fate of a membership: it continues, it was lost, or the process left. */
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
 * What the thread of a member and its stand-in know about the membership, in shared memory.
 *
 * Most importantly, it has the time of the last proof of membership: when the last acknowledged request was sent. The
 * response may have been read much later, for example by a process that was suspended in between, so its time proves
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

  /** Starts a new membership with a join request sent at that time. @returns Its number. */
  begin(sent: Moment): number {
    const spell = this.#get(SPELL) + 1;
    this.#set(SPELL, spell);
    this.renew(sent, false);
    return spell;
  }

  /**
   * The coordinator has acknowledged a request sent at that time.
   *
   * @param unsure - Whether the group is rebalancing: a member that does not rejoin in time is expelled.
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

  /** How long nothing has been acknowledged, in ms, by the clock that shows more. */
  get silenceMs(): number {
    const { monotonicMs, wallMs } = this.#now();
    return Math.max(monotonicMs - this.#get(HELD_MONOTONIC), wallMs - this.#get(HELD_WALL));
  }

  /** Ends the membership with that number. */
  end(spell: number, fate: 'lost' | 'left', blockedMs: number): void {
    this.#set(BLOCKED, Math.round(blockedMs));
    this.#set(FATE, spell * FATES.length + FATES.indexOf(fate));
  }

  /** The fate of the latest membership. */
  get fate(): Fate {
    const fate = this.#get(FATE);
    if (Math.floor(fate / FATES.length) !== this.#get(SPELL)) return 'held';
    return FATES[fate % FATES.length] ?? 'held';
  }

  /** How long the member's thread had been blocked when the membership ended, in ms. */
  get blockedMs(): number {
    return this.#get(BLOCKED);
  }

  /** Called by the member's thread to show that it is running. */
  live(): void {
    this.#set(ALIVE, this.#now().monotonicMs);
  }

  get aliveAt(): number {
    return this.#get(ALIVE);
  }

  /** Whether the member is joining: the next generation may have started without it knowing. */
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
