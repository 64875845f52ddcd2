import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Arbitrary } from 'fast-check';
import { ConfigError } from '../../errors.ts';
import { Fitting } from './fitting.ts';
import { KINDS, type Parts } from './schema-kinds.ts';
import { inside } from './schema-limits.ts';

/**
 * Generates values that a schema accepts. This works for schemas that can be inspected, those of zod 4. Each value is
 * checked against the schema, so that only valid values are returned. Values of a recursive schema are a few levels
 * deep.
 *
 * @throws ConfigError `ERR_OPTION` for a schema, or a part of one, that cannot be inspected; when values are generated,
 * for one that accepts hardly any value of its type, or is checked asynchronously.
 * @public
 */
export function valuesOf<V>(schema: StandardSchemaV1<unknown, V>): Arbitrary<V> {
  const values = partsOf([])(schema, 'the schema');
  if (values !== undefined) return values as Arbitrary<V>;
  throw new ConfigError('ERR_OPTION', 'the schema contains itself without an end', {
    hint: 'make the part in which it contains itself optional, or a list',
  });
}

function cannot(type: string): string {
  return type === 'pipe' || type === 'transform'
    ? 'it transforms what it accepts'
    : `zod's ${type} cannot be inspected`;
}

/** How often a schema may contain itself. */
const DEEPEST = 2;

/** @param around - The schemas that the parts are in. */
function partsOf(around: readonly unknown[]): Parts {
  return (schema, where) => {
    const known = inside(schema);
    const make = known?.def.type === undefined ? undefined : KINDS[known.def.type];
    if (known === undefined || make === undefined) {
      throw new ConfigError(
        'ERR_OPTION',
        `no values can be generated for ${where}${known?.def.type === undefined ? ', which is not a schema of zod 4' : `: ${cannot(known.def.type)}`}`,
        {
          hint: 'give an arbitrary of fast-check instead: { values: fc.record({ … }) }',
        },
      );
    }
    if (around.filter((each) => each === schema).length > DEEPEST) return undefined;
    const values = make(known, where, partsOf([...around, schema]));
    return values && new Fitting(values, schema, where);
  };
}
