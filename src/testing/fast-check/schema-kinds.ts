import fc, { type Arbitrary } from 'fast-check';
import { type Inside, inside, limitsOf } from './schema-limits.ts';
import { numbers, templates, texts } from './schema-scalars.ts';

/** The values of a part of a schema; `undefined` if it contains itself too deep to be gone into. */
export type Parts = (schema: unknown, where: string) => Arbitrary<unknown> | undefined;

type Kind = (schema: Inside, where: string, parts: Parts) => Arbitrary<unknown> | undefined;

/** How to generate values of a type. */
export const KINDS: Readonly<Record<string, Kind>> = {
  string: texts,
  template_literal: templates,
  number: numbers,
  int: numbers,
  boolean: () => fc.boolean(),
  bigint: bigints,
  date: (schema) => {
    const { max, min } = limitsOf(schema) as { readonly min?: Date; readonly max?: Date };
    return fc.date({ noInvalidDate: true, ...(min && { min }), ...(max && { max }) });
  },
  null: () => fc.constant(null),
  undefined: () => fc.constant(undefined),
  void: () => fc.constant(undefined),
  nan: () => fc.constant(Number.NaN),
  unknown: () => fc.jsonValue(),
  any: () => fc.jsonValue(),
  literal: ({ def }) => fc.constantFrom(...(def['values'] as unknown[])),
  enum: ({ def, values }) => fc.constantFrom(...(values ?? Object.values(def['entries'] as object))),
  array: (schema, where, parts) => lists(parts(schema.def['element'], `an element of ${where}`), schema),
  set: (schema, where, parts) =>
    lists(parts(schema.def['valueType'], `a value of ${where}`), schema)?.map((all) => new Set(all)),
  map: (schema, where, parts) => {
    const entry = all([
      parts(schema.def['keyType'], `a key of ${where}`),
      parts(schema.def['valueType'], `a value of ${where}`),
    ]);
    return lists(entry && fc.tuple(...entry), schema)?.map((entries) => new Map(entries as [unknown, unknown][]));
  },
  tuple: ({ def }, where, parts) => {
    const items = all((def['items'] as unknown[]).map((item, at) => parts(item, `item ${at} of ${where}`)));
    const rest = (def['rest'] ?? null) === null ? undefined : parts(def['rest'], `the rest of ${where}`);
    const fixed = items && fc.tuple(...items);
    if (fixed === undefined || rest === undefined) return fixed;
    return fc.tuple(fixed, fc.array(rest, { maxLength: 3 })).map(([first, others]) => [...first, ...others]);
  },
  object: ({ def }, where, parts) => {
    const fields: Record<string, Arbitrary<unknown>> = {};
    const requiredKeys: string[] = [];
    for (const [name, field] of Object.entries(def['shape'] as object)) {
      const values = parts(field, `field ${name} of ${where}`);
      const optional = inside(field)?.optout === 'optional';
      if (!optional) requiredKeys.push(name);
      if (values !== undefined) fields[name] = values;
      else if (!optional) return undefined;
    }
    return fc.record(fields, { requiredKeys });
  },
  record: ({ def }, where, parts) => {
    const values = parts(def['valueType'], `a value of ${where}`);
    const names = inside(def['keyType'])?.values;
    // Of a few known keys, all must be there.
    if (names !== undefined)
      return values && fc.record(Object.fromEntries([...names].map((name) => [String(name), values])));
    const keys = parts(def['keyType'], `a key of ${where}`) as Arbitrary<string> | undefined;
    return keys && values ? fc.dictionary(keys, values, { maxKeys: 5 }) : fc.constant({});
  },
  union: ({ def }, where, parts) => {
    const options = (def['options'] as unknown[]).flatMap((option) => parts(option, where) ?? []);
    return options.length === 0 ? undefined : fc.oneof(...options);
  },
  intersection: ({ def }, where, parts) => {
    const both = all([parts(def['left'], where), parts(def['right'], where)]);
    return both && fc.tuple(...both).map((sides) => Object.assign({}, ...(sides as object[])));
  },
  nullable: ({ def }, where, parts) => {
    const values = parts(def['innerType'], where);
    return values === undefined ? fc.constant(null) : fc.option(values);
  },
  lazy: ({ def }, where, parts) => parts((def['getter'] as () => unknown)(), where),
  optional: inner,
  default: inner,
  prefault: inner,
  nonoptional: inner,
  catch: inner,
  readonly: inner,
};

/** The wrapped schema: an optional field is omitted by the object that has it. */
function inner({ def }: Inside, where: string, parts: Parts): Arbitrary<unknown> | undefined {
  return parts(def['innerType'], where);
}

/** All parts, if none is missing. */
function all(parts: readonly (Arbitrary<unknown> | undefined)[]): Arbitrary<unknown>[] | undefined {
  const there = parts.flatMap((part) => part ?? []);
  return there.length === parts.length ? there : undefined;
}

function lists(element: Arbitrary<unknown> | undefined, schema: Inside): Arbitrary<unknown[]> | undefined {
  const { maxLength = 5, minLength = 0 } = limitsOf(schema);
  if (element === undefined) return minLength === 0 ? fc.constant([]) : undefined;
  return fc.array(element, { minLength, maxLength: Math.max(minLength, maxLength) });
}

function bigints(schema: Inside): Arbitrary<bigint> {
  const limits = limitsOf(schema) as { readonly min?: bigint; readonly max?: bigint; readonly multipleOf?: bigint };
  const { multipleOf: unit = 1n } = limits;
  const unsigned = schema.def['format'] === 'uint64';
  const [lowest, highest] = unsigned ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  const min = limits.min ?? (limits.max !== undefined && limits.max < lowest ? limits.max - 2n ** 63n : lowest);
  const max = limits.max ?? (min > highest ? min + 2n ** 63n : highest);
  return fc.bigInt({ min: min / unit, max: max / unit }).map((count) => count * unit);
}
