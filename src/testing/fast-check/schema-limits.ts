/** The parts of zod's internal schema data that are needed here. */
export interface Inside {
  readonly def: Readonly<Record<string, unknown>> & { readonly type?: string };
  /** `optional` if the value may be missing. */
  readonly optout?: string;
  /** The only values that there are, of an enum or a literal. */
  readonly values?: ReadonlySet<unknown>;
  readonly pattern?: RegExp;
}

export const inside = (schema: unknown): Inside | undefined => (schema as { readonly _zod?: Inside } | undefined)?._zod;

/** Constraints of a schema beyond its type for which values can be generated directly. */
export interface Limits {
  readonly format?: string;
  readonly pattern?: RegExp;
  /** Of a number, a bigint or a date. */
  readonly min?: number | bigint | Date;
  readonly max?: number | bigint | Date;
  /** Of a text, a list, a map or a set. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly multipleOf?: number | bigint;
}

interface Check {
  readonly check?: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
  readonly size?: number;
  readonly value?: number | bigint | Date;
}

/** All constraints; of several of a kind, the narrowest. */
export function limitsOf({ def }: Inside): Limits {
  const checks = ((def['checks'] ?? []) as unknown[]).map((check) => inside(check)?.def ?? {});
  return ([def, ...checks] as Check[]).reduce<Limits>((limits, check) => {
    const { format, length, maximum, minimum, pattern, size, value } = check;
    const exact = length ?? size;
    const given = {
      format,
      pattern,
      min: check.check === 'greater_than' ? highest(limits.min, value) : undefined,
      max: check.check === 'less_than' ? lowest(limits.max, value) : undefined,
      minLength: highest(limits.minLength, exact ?? minimum),
      maxLength: lowest(limits.maxLength, exact ?? maximum),
      multipleOf: check.check === 'multiple_of' ? value : undefined,
    };
    return { ...limits, ...Object.fromEntries(Object.entries(given).filter(([, each]) => each !== undefined)) };
  }, {});
}

function highest<T extends number | bigint | Date>(one: T | undefined, other: T | undefined): T | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one > other ? one : other;
}

function lowest<T extends number | bigint | Date>(one: T | undefined, other: T | undefined): T | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
