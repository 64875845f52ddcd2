import type { Clock } from '../../dataflow/clock.ts';

/** Brokers that have requested a pause, because a quota is used up. */
export class Throttles {
  readonly #until = new Map<number, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records the throttle time of a broker's response. */
  heard(node: number, ms: number): void {
    if (ms > 0) this.#until.set(node, Math.max(this.until(node), this.#clock.monotonic() + ms));
  }

  /** The time from which a broker may be asked (monotonic). */
  until(node: number): number {
    return this.#until.get(node) ?? 0;
  }

  /** Describes the wait. @param doing - What the quota applies to, as in "may … again". */
  waitingFor(doing: string): string | undefined {
    const now = this.#clock.monotonic();
    const held = [...this.#until].filter(([, until]) => until > now);
    if (held.length === 0) return undefined;
    const longest = Math.ceil(Math.max(...held.map(([, until]) => until - now)));
    const nodes = held.map(([node]) => node).join(', ');
    return `a quota of the brokers: it may ${doing} broker ${nodes} again in ${longest} ms`;
  }
}
