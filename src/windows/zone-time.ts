const HOUR = 3_600_000;
/** No local time is further from UTC. */
const FURTHEST = 26 * HOUR;
/** Two changes of an offset lie further apart. */
const STEP = 6 * HOUR;

/** The local time of a time zone: what its clocks show, as milliseconds since they showed 1970. */
export class ZoneTime {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a zone that is not known. */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** What the clocks show at an instant. */
  localOf(instant: number): number {
    return instant + this.#offset(instant);
  }

  /**
   * The first instant at which the clocks show a local time or a later one: the earlier one of two, and the end of the gap
   * where clocks skip it.
   */
  firstAt(local: number): number {
    const end = local + FURTHEST;
    let from = local - FURTHEST;
    let offset = this.#offset(from);
    while (from < end) {
      const to = from + STEP;
      const next = this.#offset(to);
      const change = next === offset ? to : this.#change(from, to, offset);
      const instant = Math.max(from, local - offset);
      if (instant < change) return instant;
      if (change < to && local - next < to) return Math.max(change, local - next);
      from = to;
      offset = next;
    }
    throw new Error(`no clock of the zone shows ${local}`);
  }

  /** The first instant behind `from` at which the offset is another one, where it is at `to`. */
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

  /** Local time minus UTC. */
  #offset(instant: number): number {
    const at: Record<string, number> = {};
    // Formats say whole seconds, also of instants before 1970.
    const second = Math.floor(instant / 1000) * 1000;
    for (const { type, value } of this.#format.formatToParts(second)) at[type] = Number(value);
    const { day = 0, hour = 0, minute = 0, month = 0, second: seconds = 0, year = 0 } = at;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }
}
