import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lmdbStores } from 'millrace/embedded';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareBytes } from '../../src/state/key-codec.ts';

let path: string;
let stores: Awaited<ReturnType<typeof lmdbStores>>;
beforeAll(async () => {
  path = mkdtempSync(join(tmpdir(), 'millrace-keys-'));
  stores = await lmdbStores(path);
});
afterAll(async () => {
  await stores.close();
  rmSync(path, { recursive: true });
});

/** Keys that begin alike, of lengths around those where LMDB needs another form of them. */
const keys = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1938, max: 1980 }), fc.constantFrom(256, 257, 2100)),
    fc.array(fc.integer({ min: 6, max: 8 }), { maxLength: 2 }),
  )
  .map(([length, end]) => {
    const key = new Uint8Array(length).fill(7);
    key.set(end.slice(0, length), length - Math.min(length, end.length));
    return key;
  });

it('ranges of entries and of keys are those of a sorted list, whatever the keys', () => {
  let next = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(keys, fc.boolean()), { minLength: 1, maxLength: 40 }),
      fc.array(fc.tuple(fc.option(keys, { nil: undefined }), fc.option(keys, { nil: undefined })), { maxLength: 6 }),
      (writes, ranges) => {
        const id = { applicationId: 'app', store: `s${next++}`, partition: 0 };
        const model = new Map<string, Uint8Array>();
        for (const [key, remove] of writes) {
          if (remove) model.delete(key.join());
          else model.set(key.join(), key);
          stores.apply([{ id, keys: [key], values: [remove ? null : key.slice(0, 3)] }]);
        }
        const sorted = [...model.values()].sort(compareBytes);
        const store = stores.open(id);
        for (const [from, to] of [[undefined, undefined] as const, ...ranges]) {
          const wanted = sorted
            .filter((key) => from === undefined || compareBytes(key, from) >= 0)
            .filter((key) => to === undefined || compareBytes(key, to) < 0)
            .map((key) => key.join());
          expect([...store.keys(from, to)].map((key) => key.join())).toEqual(wanted);
          expect([...store.range(from, to)].map(([key]) => key.join())).toEqual(wanted);
        }
        for (const key of sorted) expect(store.get(key)).toEqual(key.slice(0, 3));
      },
    ),
    { numRuns: 300 },
  );
});
