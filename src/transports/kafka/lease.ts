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

/** How long ago that was, by whichever clock says more. */
function elapsedSince({ monotonicMs, wallMs }: Moment): number {
  const now = momentNow();
  return Math.max(now.monotonicMs - monotonicMs, now.wallMs - wallMs);
}

const HELD_MONOTONIC = 0;
const HELD_WALL = 1;
const UNSURE = 2;
const SLOTS = 3;

/**
 * Since when the coordinator is known to count on the member: from when a request was sent that it acknowledged. The
 * answer may have been read much later, as by a process that was stopped in between, so its time tells nothing. The
 * memory is one that threads can share.
 */
export class Lease {
  readonly memory: SharedArrayBuffer;
  readonly #slots: BigInt64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#slots = new BigInt64Array(memory);
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

  /** Nothing is known of any coordinator any more. */
  end(): void {
    this.#set(HELD_MONOTONIC, 0);
    this.#set(HELD_WALL, 0);
  }

  get unsure(): boolean {
    return this.#get(UNSURE) === 1;
  }

  /** For how long nothing has been acknowledged, in milliseconds. */
  get silenceMs(): number {
    return elapsedSince({ monotonicMs: this.#get(HELD_MONOTONIC), wallMs: this.#get(HELD_WALL) });
  }

  #get(slot: number): number {
    return Number(Atomics.load(this.#slots, slot));
  }

  #set(slot: number, value: number): void {
    Atomics.store(this.#slots, slot, BigInt(value));
  }
}
