import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  bytes,
  float64,
  int32,
  int64,
  json,
  msgpack,
  nullable,
  type Serde,
  type SerdeType,
  string,
  uuid,
} from './index.ts';

const Click = z.object({ user: z.string(), at: z.coerce.date() });
interface Seen {
  user: string;
  at: Date;
}

describe('inference', () => {
  it('of plain serdes', () => {
    expectTypeOf(string()).toEqualTypeOf<Serde<string>>();
    expectTypeOf(uuid()).toEqualTypeOf<Serde<string>>();
    expectTypeOf(bytes()).toEqualTypeOf<Serde<Uint8Array>>();
    expectTypeOf(int32()).toEqualTypeOf<Serde<number>>();
    expectTypeOf(int64()).toEqualTypeOf<Serde<bigint>>();
    expectTypeOf(float64()).toEqualTypeOf<Serde<number>>();
  });
  it('from a schema is its output', () => {
    expectTypeOf(json(Click)).toEqualTypeOf<Serde<Seen>>();
    expectTypeOf(msgpack(Click)).toEqualTypeOf<Serde<Seen>>();
    expectTypeOf(json(Click, { validate: 'both' })).toEqualTypeOf<Serde<Seen>>();
    expectTypeOf(json({} as StandardSchemaV1<string, number>)).toEqualTypeOf<Serde<number>>();
  });
  it('without a schema is what the program says, else unknown', () => {
    expectTypeOf(json()).toEqualTypeOf<Serde<unknown>>();
    expectTypeOf(json<Seen>()).toEqualTypeOf<Serde<Seen>>();
    expectTypeOf(msgpack<Seen>()).toEqualTypeOf<Serde<Seen>>();
  });
  it('of nullable and SerdeType', () => {
    const user = nullable(json(Click));
    expectTypeOf(user).toEqualTypeOf<Serde<Seen | null>>();
    expectTypeOf<SerdeType<typeof user>>().toEqualTypeOf<Seen | null>();
    expectTypeOf<SerdeType<Serde<bigint>>>().toEqualTypeOf<bigint>();
    expectTypeOf<SerdeType<string>>().toEqualTypeOf<never>();
    expectTypeOf(user.deserialize(new Uint8Array())).toEqualTypeOf<Seen>();
  });
});

describe('refusals', () => {
  it('of wrong values', () => {
    // @ts-expect-error a text is no bigint
    int64().serialize('5');
    // @ts-expect-error null never reaches a serde
    nullable(string()).serialize(null);
    // @ts-expect-error the schema has no such property
    json(Click).serialize({ user: 'a', at: new Date(0), extra: 1 });
    // @ts-expect-error unknown option value
    json(Click, { validate: 'write' });
    // @ts-expect-error options need a schema
    json(undefined, { validate: 'both' });
    // @ts-expect-error no Standard Schema
    json({ user: 'string' });
    // @ts-expect-error a serde of numbers is no serde of texts
    const wrong: Serde<string> = int32();
    expectTypeOf(wrong).toEqualTypeOf<Serde<string>>();
  });
});
