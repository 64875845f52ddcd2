import { json, mapValues, type StreamRecord, string, topic } from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

const numbers = topic('numbers', { key: string(), value: json<number>() });

describe('pipe', () => {
  it('knows the type behind nine steps and behind more', () => {
    const by9 = numbers.pipe(
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => `${n}`),
    );
    expectTypeOf(by9).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
    const by10 = numbers.pipe(
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => `${n}`),
    );
    expectTypeOf(by10).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
    const by16 = numbers.pipe(
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => `${n}`),
    );
    expectTypeOf(by16).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
  });
});
