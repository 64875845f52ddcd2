import { ConfigError } from '../../errors.ts';
import { show } from '../../options/option-checks.ts';
import { sourceText } from '../source-text.ts';

/** A sum, and that of the absolute numbers, which says how much rounding may make of it. */
export interface Total {
  readonly sum: number;
  readonly size: number;
}

/** @throws ConfigError `ERR_OPTION` for anything but finite numbers: every sum with NaN would equal every other. */
export function totalOf<T>(name: 'ofRecord' | 'ofRow', all: readonly T[], of: (item: T) => number): Total {
  let [sum, size] = [0, 0];
  for (const item of all) {
    const number = of(item);
    if (!Number.isFinite(number)) {
      throw new ConfigError('ERR_OPTION', `conserves.${name} returned ${show(number)} for ${sourceText(item)}`, {
        hint: 'it must return a finite number, for null values too',
      });
    }
    sum += number;
    size += Math.abs(number);
  }
  return { sum, size };
}

/** Integers are added exactly. Fractions are rounded, and more coarsely the smaller the smallest of them are. */
export function equal(one: Total, other: Total): boolean {
  const difference = Math.abs(one.sum - other.sum);
  const rounding = bothWhole(one, other) ? 0 : (one.size + other.size) * 1e-9 + 1e-300;
  return difference <= rounding;
}

function bothWhole(one: Total, other: Total): boolean {
  return [one.size, one.sum, other.size, other.sum].every(Number.isSafeInteger);
}
