import fc, { type Arbitrary } from 'fast-check';
import { ConfigError } from '../../errors.ts';
import { type Inside, limitsOf } from './schema-limits.ts';

/** Dates whose years have four digits, as formats of dates want them. */
const YEARS = { noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') } as const;

const FORMATS: Readonly<Record<string, () => Arbitrary<string>>> = {
  uuid: () => fc.uuid(),
  guid: () => fc.uuid(),
  email: () => fc.emailAddress(),
  url: () => fc.webUrl(),
  ipv6: () => fc.ipV6(),
  datetime: () => fc.date(YEARS).map((date) => date.toISOString()),
  date: () => fc.date(YEARS).map((date) => date.toISOString().slice(0, 10)),
  base64: () => fc.base64String(),
};

/** Texts of a schema. */
export function texts(schema: Inside, where: string): Arbitrary<string> {
  const { format, maxLength, minLength = 0, pattern } = limitsOf(schema);
  // A UUID of any version is made easily, one of a certain version by its pattern.
  const versioned = schema.def['version'] !== undefined && pattern !== undefined;
  const make = format === undefined || versioned ? undefined : FORMATS[format];
  if (make !== undefined) return make();
  if (pattern !== undefined) return matching(pattern, where);
  return fc.string({ minLength, maxLength: Math.max(minLength, maxLength ?? minLength + 8) });
}

/** Texts of a template literal. */
export function templates({ pattern = /^$/ }: Inside, where: string): Arbitrary<string> {
  return matching(pattern, where);
}

function matching(pattern: RegExp, where: string): Arbitrary<string> {
  try {
    // What matches in one case also matches in any.
    return fc.stringMatching(new RegExp(pattern.source, pattern.flags.replace('i', '')));
  } catch (error) {
    throw new ConfigError('ERR_OPTION', `${where} has a pattern for which no texts can be made: ${pattern}`, {
      hint: 'give an arbitrary of fast-check instead: { values: fc.record({ … }) }',
      cause: error,
    });
  }
}

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** Numbers of a schema. */
export function numbers(schema: Inside): Arbitrary<number> {
  const limits = limitsOf(schema) as { format?: string; min?: number; max?: number; multipleOf?: number };
  const { format, max, min, multipleOf } = limits;
  const whole = format?.includes('int') === true;
  if (whole || multipleOf !== undefined) {
    const unit = multipleOf ?? 1;
    const range = wholeRange(min === undefined ? min : min / unit, max === undefined ? max : max / unit);
    // Twelve digits: 57 × 0.01 is not 0.57.
    return fc.integer(range).map((count) => (unit === 1 ? count : Number((count * unit).toPrecision(12))));
  }
  const bounds = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return fc.double({ ...bounds, noNaN: true, noDefaultInfinity: true });
}

/** Whole numbers between bounds; where one is missing, of 32 bits, or as many beyond the other bound. */
function wholeRange(min: number | undefined, max: number | undefined): { min: number; max: number } {
  const safe = (bound: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, bound));
  const low = min === undefined ? Math.min(INT32.min, (max ?? 0) + INT32.min) : Math.ceil(min);
  const high = max === undefined ? Math.max(INT32.max, (min ?? 0) + INT32.max) : Math.floor(max);
  return { min: safe(low), max: safe(high) };
}
