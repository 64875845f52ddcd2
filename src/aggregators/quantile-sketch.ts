/**
 * Numbers counted in bins whose width grows with the distance from zero, so that the middle of a bin is within a fixed
 * relative error of each of its numbers (a DDSketch). Never changed in place.
 */
export interface QuantileSketch {
  readonly min: number;
  readonly max: number;
  /** Bins in ascending order of their numbers. */
  readonly bins: Int32Array;
  readonly counts: Float64Array;
}

export const NO_NUMBERS: QuantileSketch = {
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  bins: new Int32Array(0),
  counts: new Float64Array(0),
};

/** The most bins to keep. The lowest surplus bins are merged into one. */
const MOST_BINS = 2048;
/** The smallest number that is not counted as zero. */
const LEAST = 1e-300;

/** Maps numbers to bins and bins to numbers. */
export class Bins {
  readonly #growth: number;
  readonly #logGrowth: number;
  /** Offset that puts the bins of positive numbers above zero and those of negative numbers below it. */
  readonly #shift: number;

  /** @param error - How far the middle of a bin may be from its numbers, relative to them. */
  constructor(error: number) {
    this.#growth = (1 + error) / (1 - error);
    this.#logGrowth = Math.log(this.#growth);
    this.#shift = 1 - Math.ceil(Math.log(LEAST) / this.#logGrowth);
  }

  of(number: number): number {
    const distance = Math.abs(number);
    if (distance < LEAST) return 0;
    const bin = Math.ceil(Math.log(distance) / this.#logGrowth) + this.#shift;
    return number > 0 ? bin : -bin;
  }

  middle(bin: number): number {
    if (bin === 0) return 0;
    const upper = Math.exp((Math.abs(bin) - this.#shift) * this.#logGrowth);
    const middle = (2 * upper) / (this.#growth + 1);
    return bin > 0 ? middle : -middle;
  }
}

export function withNumber(sketch: QuantileSketch, bin: number, number: number): QuantileSketch {
  const min = Math.min(sketch.min, number);
  const max = Math.max(sketch.max, number);
  const { bins, counts } = sketch;
  const at = placeOf(bins, bin);
  if (bins[at] === bin) {
    const next = counts.slice();
    next[at] = (next[at] as number) + 1;
    return { min, max, bins, counts: next };
  }
  const more = new Int32Array(bins.length + 1);
  const next = new Float64Array(bins.length + 1);
  more.set(bins.subarray(0, at));
  next.set(counts.subarray(0, at));
  more[at] = bin;
  next[at] = 1;
  more.set(bins.subarray(at), at + 1);
  next.set(counts.subarray(at), at + 1);
  return bounded({ min, max, bins: more, counts: next });
}

export function bothSketches(left: QuantileSketch, right: QuantileSketch): QuantileSketch {
  const bins = new Int32Array(left.bins.length + right.bins.length);
  const counts = new Float64Array(bins.length);
  let [size, one, other] = [0, 0, 0];
  while (one < left.bins.length || other < right.bins.length) {
    const low = left.bins[one] ?? Number.POSITIVE_INFINITY;
    const high = right.bins[other] ?? Number.POSITIVE_INFINITY;
    bins[size] = Math.min(low, high);
    counts[size] =
      (low <= high ? (left.counts[one] as number) : 0) + (high <= low ? (right.counts[other] as number) : 0);
    if (low <= high) one += 1;
    if (high <= low) other += 1;
    size += 1;
  }
  const [min, max] = [Math.min(left.min, right.min), Math.max(left.max, right.max)];
  return bounded({ min, max, bins: bins.slice(0, size), counts: counts.slice(0, size) });
}

/** Keeps the highest bins: the same ones, whatever the order of numbers and merges. */
function bounded(sketch: QuantileSketch): QuantileSketch {
  const { bins, counts, max, min } = sketch;
  const over = bins.length - MOST_BINS;
  if (over <= 0) return sketch;
  const kept = counts.slice(over);
  for (let at = 0; at < over; at += 1) kept[0] = (kept[0] as number) + (counts[at] as number);
  return { min, max, bins: bins.slice(over), counts: kept };
}

/** The first bin that is not lower. */
function placeOf(bins: Int32Array, bin: number): number {
  let low = 0;
  let high = bins.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bins[middle] as number) < bin) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The approximate number that `percent` of all numbers do not exceed (nearest rank). */
export function percentileOf({ bins, counts, max, min }: QuantileSketch, percent: number, of: Bins): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil((percent / 100) * total));
  if (rank === 1) return min;
  if (rank >= total) return max;
  let seen = 0;
  for (let at = 0; at < bins.length; at += 1) {
    seen += counts[at] as number;
    if (seen >= rank) return Math.min(max, Math.max(min, of.middle(bins[at] as number)));
  }
  return max;
}
