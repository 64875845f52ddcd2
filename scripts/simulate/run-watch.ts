/** Resource use since some moment, in ms. */
export interface Used {
  /** CPU time of the process, all threads included. */
  readonly cpuMs: number;
  /** How long the thread of the run was idle. */
  readonly idleMs: number;
}

/** How often to look, in ms. */
const LOOKS_MS = 1000;

/**
 * Notices a run that never ends. It does not use wall time: on a busy machine a run can take long with nothing wrong. A run that
 * loops forever uses CPU time; a run that stands still is idle although nothing will ever arrive.
 */
export class RunWatch {
  readonly #timer: NodeJS.Timeout;

  /**
   * @param used - Returns what has been used so far.
   * @param limit - What a run may use. The CPU time is that of all concurrent runs together.
   * @param hangs - Called once, with the reason.
   */
  constructor(used: () => Used, limit: Used, hangs: (why: string) => void, looksMs: number = LOOKS_MS) {
    const before = used();
    this.#timer = setInterval(() => {
      const why = whyHung(before, used(), limit);
      if (why === undefined) return;
      this.over();
      hangs(why);
    }, looksMs);
  }

  over(): void {
    clearInterval(this.#timer);
  }
}

/** @returns Why the run counts as hung; `undefined` if it does not. */
export function whyHung(before: Used, now: Used, limit: Used): string | undefined {
  if (now.cpuMs - before.cpuMs > limit.cpuMs) return `it does not end within ${limit.cpuMs} ms of CPU time`;
  if (now.idleMs - before.idleMs > limit.idleMs) return `it stands still: it was idle for ${limit.idleMs} ms`;
  return undefined;
}
