import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Arbitrary, type Random, type Stream, type Value } from 'fast-check';
import { ConfigError } from '../../errors.ts';

/** How many values in a row may not fit before it is said that hardly any does. */
const MANY = 2_000;

/** Generates the values of another arbitrary that a schema accepts, and gives up where it hardly accepts any. */
export class Fitting extends Arbitrary<unknown> {
  readonly #given: Arbitrary<unknown>;
  readonly #schema: StandardSchemaV1;
  readonly #where: string;

  constructor(given: Arbitrary<unknown>, schema: unknown, where: string) {
    super();
    this.#given = given;
    this.#schema = schema as StandardSchemaV1;
    this.#where = where;
  }

  generate(random: Random, biasFactor: number | undefined): Value<unknown> {
    for (let tries = 0; tries < MANY; tries += 1) {
      const made = this.#given.generate(random, biasFactor);
      if (this.#fits(made.value)) return made;
    }
    throw new ConfigError('ERR_OPTION', `${this.#where} accepts none of ${MANY} values that were made for its type`, {
      hint: 'give an arbitrary of fast-check that makes such values: { values: fc.record({ … }) }',
    });
  }

  canShrinkWithoutContext(value: unknown): value is unknown {
    return this.#given.canShrinkWithoutContext(value) && this.#fits(value);
  }

  shrink(value: unknown, context: unknown): Stream<Value<unknown>> {
    return this.#given.shrink(value, context).filter((smaller) => this.#fits(smaller.value));
  }

  #fits(value: unknown): boolean {
    const result = this.#schema['~standard'].validate(value);
    if (!(result instanceof Promise)) return result.issues === undefined;
    result.catch(() => undefined);
    throw new ConfigError('ERR_OPTION', `${this.#where} is checked asynchronously`, {
      hint: 'give an arbitrary of fast-check instead: { values: fc.record({ … }) }',
    });
  }
}
