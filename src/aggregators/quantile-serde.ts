import type { Serde } from '../serdes/serde.ts';
import type { QuantileSketch } from './quantile-sketch.ts';

const NUMBERS = 16;

/**
 * Sketches as bytes: the lowest and the highest number, then for each bin its distance from the previous one and its
 * count.
 */
export const quantileSerde: Serde<QuantileSketch> = {
  name: 'quantiles',
  serialize({ bins, counts, max, min }) {
    const bytes: number[] = [];
    let before = 0;
    for (const [at, bin] of bins.entries()) {
      // The first bin may be negative.
      write(bytes, at === 0 ? zigzag(bin) : bin - before);
      write(bytes, counts[at] as number);
      before = bin;
    }
    const all = new Uint8Array(NUMBERS + bytes.length);
    const view = new DataView(all.buffer);
    view.setFloat64(0, min);
    view.setFloat64(8, max);
    all.set(bytes, NUMBERS);
    return all;
  },
  deserialize(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const bins: number[] = [];
    const counts: number[] = [];
    const place = { at: NUMBERS };
    while (place.at < bytes.length) {
      const step = read(bytes, place);
      bins.push(bins.length === 0 ? unzigzag(step) : (bins.at(-1) as number) + step);
      counts.push(read(bytes, place));
    }
    return {
      min: view.getFloat64(0),
      max: view.getFloat64(8),
      bins: Int32Array.from(bins),
      counts: Float64Array.from(counts),
    };
  },
};

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/** Seven bits at a time, the lowest first. Counts may be above 2^32. */
function write(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function read(bytes: Uint8Array, place: { at: number }): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[place.at];
    if (byte === undefined) throw new RangeError('a sketch of quantiles ends in the middle of a number');
    place.at += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value;
  }
}
