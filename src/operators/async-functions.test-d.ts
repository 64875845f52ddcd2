import {
  branch,
  filterValues,
  flatMapRecord,
  flatMapValues,
  json,
  keyBy,
  mapRecord,
  mapValues,
  string,
  to,
  topic,
} from 'millrace';
import { describe, expectTypeOf, it } from 'vitest';

const source = topic('source', { key: string(), value: json<number>() });
const anything = topic('anything', { key: string(), value: json() });

describe('an asynchronous function', () => {
  it('does not compile where nobody would wait for it', () => {
    // @ts-expect-error mapValues was given an async function: use mapAsync(…)
    source.pipe(mapValues(async (n) => n));
    // @ts-expect-error nor one that returns a promise
    source.pipe(mapValues((n) => Promise.resolve(n)));
    // @ts-expect-error keyBy was given an async function
    source.pipe(keyBy(async (n) => `${n}`));
    // @ts-expect-error a promise is no boolean
    source.pipe(filterValues(async (n) => n > 1));
    // @ts-expect-error a promise is no list
    source.pipe(flatMapValues(async (n) => [n]));
    // @ts-expect-error a promise has no key
    source.pipe(mapRecord(async ({ key, value }) => ({ key, value })));
    // @ts-expect-error a promise is no list
    source.pipe(flatMapRecord(async ({ key, value }) => [{ key, value }]));
    // @ts-expect-error a promise is no boolean
    branch(source, { odd: async ({ value }) => value % 2 === 1 });
  });

  it('is not suspected where a function returns anything, nothing, or what its caller chooses', () => {
    const anyOf = source.pipe(mapValues((n) => JSON.parse(n.toFixed())));
    expectTypeOf(anyOf.pipe(to(anything))).not.toBeAny();
    source.pipe(
      mapValues((n): never => {
        throw new Error(n.toFixed());
      }),
      to(anything),
    );
    const through = <T>(work: (n: number) => T) => source.pipe(mapValues((n) => work(n)));
    through((n) => n).pipe(to(anything));
    source.pipe(keyBy((n) => JSON.parse(n.toFixed())));
  });
});
