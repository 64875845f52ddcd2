const HOUR = 3_600_000;
/** Upper bound for the distance of local time from UTC. */
const FURTHEST = 26 * HOUR;
/** Lower bound for the time between two changes of an offset. */
const STEP = 6 * HOUR;
const MOST_STEPS = 1024;
/** `GMT+05:30`, `GMT-00:44:30`, or `GMT` alone. */
const OFFSET = /GMT(?:([+\-\u2212])(\d+):(\d+)(?::(\d+))?)?$/;

/** The local time of a time zone: what its clocks show, as milliseconds since they showed 1970. */
export class ZoneTime {
  readonly #format: Intl.DateTimeFormat;
  /** Cached offsets at whole steps: neighbouring windows need the same ones. */
  readonly #steps = new Map<number, number>();

  /** @throws RangeError for an unknown zone. */
  constructor(zone: string) {
    // This format is by far the fastest.
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  }

  /** What the clocks show at an instant. */
  localOf(instant: number): number {
    return instant + this.#offset(instant);
  }

  /**
   * The first instant at which the clocks show this local time or a later one: the earlier of two if they show it
   * twice, the end of the gap if they skip it.
   */
  firstAt(local: number): number {
    const end = local + FURTHEST;
    let from = Math.floor((local - FURTHEST) / STEP) * STEP;
    let offset = this.#offsetAtStep(from);
    while (from < end) {
      const to = from + STEP;
      const next = this.#offsetAtStep(to);
      const change = next === offset ? to : this.#change(from, to, offset);
      const instant = Math.max(from, local - offset);
      if (instant < change) return instant;
      if (change < to && local - next < to) return Math.max(change, local - next);
      from = to;
      offset = next;
    }
    throw new Error(`no clock of the zone shows ${local}`);
  }

  /** The first instant after `from` at which the offset differs from `offset`, given that it differs at `to`. */
  #change(from: number, to: number, offset: number): number {
    let before = from;
    let after = to;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#offset(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  #offsetAtStep(instant: number): number {
    const known = this.#steps.get(instant);
    if (known !== undefined) return known;
    if (this.#steps.size >= MOST_STEPS) this.#steps.clear();
    const offset = this.#offset(instant);
    this.#steps.set(instant, offset);
    return offset;
  }

  /** Local time minus UTC. */
  #offset(instant: number): number {
    const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(this.#format.format(instant)) ?? [];
    const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    return sign === '+' ? offset * 1000 : -offset * 1000;
  }
}
