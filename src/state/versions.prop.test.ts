import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { DueStore } from './due-store.ts';
import { KeyValueStore } from './key-value-store.ts';
import { memoryStores } from './memory-backend.ts';
import { TimedStore } from './timed-store.ts';
import { msgpackCodec } from './value-codec.ts';
import { type Version, versionCodec } from './version-codec.ts';
import { Versions } from './versions.ts';

const stores = memoryStores();
const UNLIMITED = { limit: Number.POSITIVE_INFINITY };
let runs = 0;

/** Versions in stores that are committed and opened again. */
class Kept {
  readonly #application: string = `app-${(runs += 1)}`;
  readonly #cacheEntries: number;
  readonly #historyMs: number;
  older!: TimedStore<string, Version<string>>;
  versions!: Versions<string, string>;
  #holders: { collect(into: StoreWrites[]): void; committed(): void }[] = [];

  constructor(historyMs: number, cacheEntries: number) {
    this.#historyMs = historyMs;
    this.#cacheEntries = cacheEntries;
    this.open();
  }

  open(): void {
    const bytes = (store: string) => stores.open({ applicationId: this.#application, store, partition: 0 });
    const rows = msgpackCodec<string>('s');
    const newest = new KeyValueStore(bytes('s'), string(), rows, this.#cacheEntries);
    this.older = new TimedStore(bytes('s-versions'), string(), versionCodec(rows, 's'), this.#cacheEntries);
    const expiry = new DueStore(bytes('s-expiry'), string(), msgpackCodec<number>('e'), this.#cacheEntries);
    this.#holders = [newest, this.older, expiry];
    this.versions = new Versions(
      { newest, older: this.older, expiry },
      this.older.keepTime(UNLIMITED),
      this.#historyMs,
    );
  }

  commit(): void {
    const writes: StoreWrites[] = [];
    for (const holder of this.#holders) holder.collect(writes);
    stores.apply(writes);
    for (const holder of this.#holders) holder.committed();
  }
}

interface Write {
  readonly key: string;
  readonly row: string | null;
  readonly time: number;
}

/** All that was written, in a list. */
class Model {
  readonly #historyMs: number;
  readonly #writes: Write[] = [];
  #time = -1;

  constructor(historyMs: number) {
    this.#historyMs = historyMs;
  }

  /** The newest of some writes: of equal times the later one. */
  #last(key: string, until: number): Write | undefined {
    return this.#writes.reduce<Write | undefined>(
      (last, each) => (each.key === key && each.time <= until && each.time >= (last?.time ?? -1) ? each : last),
      undefined,
    );
  }

  put(write: Write): boolean | undefined {
    this.#time = Math.max(this.#time, write.time);
    if (write.time < this.#time - this.#historyMs) return undefined;
    const newest = this.#last(write.key, Number.POSITIVE_INFINITY);
    this.#writes.push(write);
    return newest === undefined || write.time >= newest.time;
  }

  at(key: string, time: number): string | undefined {
    const found = this.#last(key, time);
    const isNewest = found === this.#last(key, Number.POSITIVE_INFINITY);
    return isNewest || time >= this.#time - this.#historyMs ? (found?.row ?? undefined) : undefined;
  }

  newest(key: string): Write | undefined {
    return this.#last(key, Number.POSITIVE_INFINITY);
  }
}

const time = fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 90 }));
const write = fc.record({
  key: fc.constantFrom('a', 'b', ''),
  row: fc.option(fc.constantFrom('x', 'y', ''), { freq: 4 }),
  time,
});
const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: write }, { weight: 2, arbitrary: fc.constant('commit' as const) }),
  { maxLength: 40 },
);

describe('versions of rows', () => {
  it('are those of a list of all writes, whatever is committed, forgotten and opened again (SS-3, JT-3)', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 40 }),
        fc.constantFrom(0, 2, 1000),
        fc.boolean(),
        steps,
        (historyMs, cache, again, all) => {
          const kept = new Kept(historyMs, cache);
          const model = new Model(historyMs);
          for (const step of all) {
            if (step === 'commit') {
              kept.commit();
              if (again) kept.open();
              continue;
            }
            expect(kept.versions.put(step.key, step.row, step.time)).toBe(model.put(step));
            for (const key of ['a', 'b', '']) {
              const newest = model.newest(key);
              expect(kept.versions.get(key)).toBe(newest?.row ?? undefined);
              expect(kept.versions.timestampOf(key)).toBe((newest?.row ?? null) === null ? -1 : newest?.time);
              for (let at = 0; at <= 90; at += 9)
                expect(kept.versions.at(key, at), `${key}@${at}`).toBe(model.at(key, at));
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are removed when they ended before the history, those of keys that are written no more too', () => {
    const kept = new Kept(10, 0);
    for (let n = 0; n < 50; n += 1) {
      kept.versions.put(`k${n}`, 'x', 1);
      kept.versions.put(`k${n}`, n % 2 === 0 ? 'y' : null, 5);
    }
    expect([...kept.older.all()]).toHaveLength(75);
    kept.commit();
    // A write removes what some keys have, so that no turn is spent on all of them.
    for (let n = 0; n < 10; n += 1) kept.versions.put('other', 'z', 15 + n);
    kept.commit();
    expect([...kept.older.all()].map(({ key }) => key)).toEqual(Array.from({ length: 9 }, () => 'other'));
    expect(kept.versions.get('k0')).toBe('y');
    expect(kept.versions.at('k0', 5)).toBe('y');
    expect(kept.versions.get('k1')).toBeUndefined();
  });
});
