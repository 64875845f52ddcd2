import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc, { type Arbitrary } from 'fast-check';
import { ConfigError } from '../../errors.ts';

/** The parts of zod's internal schema data that are needed here. */
interface Inside {
  readonly def: Readonly<Record<string, unknown>> & { readonly type?: string };
}

/** Constraints of a schema beyond its type for which values can be generated directly. */
interface Limits {
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly min?: number;
  readonly max?: number;
}

interface Check {
  readonly check?: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly value?: number;
}

function limitsOf({ def }: Inside): Limits {
  const checks = ((def['checks'] ?? []) as unknown[]).map((check) => inside(check)?.def ?? {});
  return ([def, ...checks] as Check[]).reduce<Limits>((limits, { check, format, maximum, minimum, pattern, value }) => {
    const min = check === 'greater_than' ? value : minimum;
    const max = check === 'less_than' ? value : maximum;
    return {
      ...limits,
      ...(format === undefined ? {} : { format }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    };
  }, {});
}

const inside = (schema: unknown): Inside | undefined => (schema as { readonly _zod?: Inside } | undefined)?._zod;

/**
 * Generates values that a schema accepts. This works for schemas that can be inspected, those of zod 4. Each value is
 * checked against the schema, so that only valid values are returned.
 *
 * @throws ConfigError `ERR_OPTION` for a schema, or a part of one, that cannot be inspected.
 * @public
 */
export function valuesOf<V>(schema: StandardSchemaV1<unknown, V>): Arbitrary<V> {
  return arbitraryOf(schema, 'the schema') as Arbitrary<V>;
}

function arbitraryOf(schema: unknown, where: string): Arbitrary<unknown> {
  const known = inside(schema);
  const make = known?.def.type === undefined ? undefined : KINDS[known.def.type];
  if (known === undefined || make === undefined) {
    throw new ConfigError('ERR_OPTION', `${where} is ${known?.def.type ?? 'of a kind'} that cannot be looked into`, {
      hint: 'give an arbitrary of fast-check instead: { values: fc.record({ … }) }',
    });
  }
  const { validate } = (schema as StandardSchemaV1)['~standard'];
  return make(known, where).filter((value) => {
    const result = validate(value);
    return !(result instanceof Promise) && result.issues === undefined;
  });
}

const KINDS: Readonly<Record<string, (schema: Inside, where: string) => Arbitrary<unknown>>> = {
  string: text,
  number,
  int: number,
  boolean: () => fc.boolean(),
  bigint: () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  date: () => fc.date({ noInvalidDate: true }),
  null: () => fc.constant(null),
  unknown: () => fc.jsonValue(),
  any: () => fc.jsonValue(),
  literal: ({ def }) => fc.constantFrom(...(def['values'] as unknown[])),
  enum: ({ def }) => fc.constantFrom(...Object.values(def['entries'] as object)),
  array: (schema, where) => {
    const { max = 5, min: minLength = 0 } = limitsOf(schema);
    const element = arbitraryOf(schema.def['element'], `an element of ${where}`);
    return fc.array(element, { minLength, maxLength: Math.max(minLength, max) });
  },
  tuple: ({ def }, where) =>
    fc.tuple(...(def['items'] as unknown[]).map((item, at) => arbitraryOf(item, `item ${at} of ${where}`))),
  object: ({ def }, where) => {
    const fields = Object.entries(def['shape'] as object);
    const optional = new Set(
      fields.filter(([, field]) => inside(field)?.def.type === 'optional').map(([name]) => name),
    );
    const model = Object.fromEntries(
      fields.map(([name, field]) => [name, arbitraryOf(field, `field ${name} of ${where}`)]),
    );
    return fc.record(model, { requiredKeys: fields.map(([name]) => name).filter((name) => !optional.has(name)) });
  },
  record: ({ def }, where) =>
    fc.dictionary(
      arbitraryOf(def['keyType'], `a key of ${where}`) as Arbitrary<string>,
      arbitraryOf(def['valueType'], `a value of ${where}`),
      { maxKeys: 5 },
    ),
  union: ({ def }, where) => fc.oneof(...(def['options'] as unknown[]).map((option) => arbitraryOf(option, where))),
  nullable: ({ def }, where) => fc.option(arbitraryOf(def['innerType'], where)),
  optional: inner,
  default: inner,
  readonly: inner,
};

/** The wrapped schema: an optional field is omitted by the object that has it. */
function inner({ def }: Inside, where: string): Arbitrary<unknown> {
  return arbitraryOf(def['innerType'], where);
}

function text(schema: Inside): Arbitrary<string> {
  const { format, max, min = 0, pattern } = limitsOf(schema);
  if (format === 'uuid' || format === 'guid') return fc.uuid();
  if (format === 'email') return fc.emailAddress();
  if (format === 'url') return fc.webUrl();
  if (format === 'datetime') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(pattern);
  return fc.string({ minLength: min, maxLength: Math.max(min, max ?? min + 8) });
}

function number(schema: Inside): Arbitrary<number> {
  const { format, max, min } = limitsOf(schema);
  if (format?.includes('int') === true) {
    return fc.integer({
      min: Math.max(Math.ceil(min ?? Number.NEGATIVE_INFINITY), -(2 ** 31)),
      max: Math.min(Math.floor(max ?? Number.POSITIVE_INFINITY), 2 ** 31 - 1),
    });
  }
  const bounds = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return fc.double({ ...bounds, noNaN: true, noDefaultInfinity: true });
}
