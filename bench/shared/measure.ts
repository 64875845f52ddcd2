/** How long something took. */
export interface Time {
  readonly wallMs: number;
  /** Time of all threads of this process on all cores. */
  readonly cpuMs: number;
}

/** Starts to measure. @returns Ends it. */
export function stopwatch(): () => Time {
  const start = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { system, user } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - start, cpuMs: (system + user) / 1000 };
  };
}

/** Runs `work` often enough to be warm, then `runs` times more. @returns Times of each of these. */
export function timesOf(
  work: () => unknown,
  { runs, warmUps }: { readonly runs: number; readonly warmUps: number },
): Time[] {
  const times: Time[] = [];
  for (let run = -warmUps; run < runs; run += 1) {
    const time = stopwatch();
    work();
    if (run >= 0) times.push(time());
  }
  return times;
}

/**
 * Rates on one core: per second of processor time. Where a single thread does the work that is its speed, however busy
 * the machine is with other things; helpers of the collector and of the compiler count too.
 */
export function coreRates(amount: number, times: readonly Time[]): number[] {
  return times.map(({ cpuMs }) => (amount * 1000) / cpuMs);
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Numbers from 0 to below 1 that are the same in each run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
