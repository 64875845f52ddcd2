import type { Clock } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
import type { Logger } from './logger.ts';

/** How long the same warning is not repeated, in ms. */
const QUIET_MS = 5000;

/** Warns about repeated retries, but not each time. */
export class Complaints {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #saidAt = new Map<string, number>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Warns that something failed and is retried, unless the same kind of failure was reported recently. */
  warn(error: MillraceError, fields: object): void {
    const now = this.#clock.monotonic();
    const saidAt = this.#saidAt.get(error.code);
    if (saidAt !== undefined && now - saidAt < QUIET_MS) return;
    this.#saidAt.set(error.code, now);
    this.#logger.warn({ ...fields, code: error.code }, `${error.message}; trying again`);
  }
}
