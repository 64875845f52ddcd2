/** How much a benchmark is to measure. */
export interface BenchOptions {
  /** Few and short runs: shows that a benchmark works, and little more. */
  readonly quick: boolean;
  /** How many records instead of what the benchmark takes by itself. */
  readonly records?: number | undefined;
  /** How often each is measured, instead of what the benchmark takes by itself. */
  readonly runs?: number | undefined;
  /** Only those whose name contains this. */
  readonly match?: string | undefined;
}

/** One measured line: the median of several runs, with their spread. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** What design.md asks for; left out where it asks for nothing. */
  readonly target?: number;
  /** Rates are better when they are higher, times when they are lower. */
  readonly higherIsBetter: boolean;
  /** The whole run fails when the target is missed. */
  readonly required?: true;
}

export interface RowOptions {
  readonly target?: number;
  readonly required?: true;
  /** True unless said otherwise. */
  readonly higherIsBetter?: boolean;
}

export function rowOf(name: string, unit: string, samples: readonly number[], options: RowOptions = {}): Row {
  const { higherIsBetter = true, required, target } = options;
  const sorted = [...samples].sort((a, b) => a - b);
  const [min = Number.NaN] = sorted;
  const max = sorted.at(-1) ?? Number.NaN;
  const row = { name, unit, median: percentile(sorted, 0.5), min, max, higherIsBetter };
  return { ...row, ...(target === undefined ? {} : { target }), ...(required === undefined ? {} : { required }) };
}

/** @param sorted - In ascending order. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Whether a row is as good as it should be; `undefined` without a target. */
export function meetsTarget({ higherIsBetter, median, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  return higherIsBetter ? median >= target : median <= target;
}

/** Two significant digits more than anyone can trust: `3,214,551`, `12.3`, `0.214`. */
export function showNumber(value: number): string {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
