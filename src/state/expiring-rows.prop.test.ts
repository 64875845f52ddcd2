import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { ExpiringRows } from './expiring-rows.ts';
import { KeyValueStore } from './key-value-store.ts';
import { memoryStores } from './memory-backend.ts';
import type { StateHolder } from './state-holder.ts';
import { msgpackCodec } from './value-codec.ts';
import { Waiting } from './waiting.ts';

const stores = memoryStores();
let runs = 0;

/** Rows in stores that are committed and opened again, with another time to live or none. */
class Kept {
  readonly gone: string[] = [];
  rows!: KeyValueStore<string, number>;
  expiring: ExpiringRows<string, number> | undefined;
  waiting: Waiting<string, 'rows'> | undefined;
  #application: string = `expiring-${(runs += 1)}`;
  #holders: StateHolder[] = [];

  open(ttlMs: number | undefined, cacheEntries: number): void {
    const bytes = (store: string) => stores.open({ applicationId: this.#application, store, partition: 0 });
    this.rows = new KeyValueStore(bytes('s'), string(), msgpackCodec<number>('s'), cacheEntries);
    this.#holders = [this.rows];
    this.expiring = undefined;
    if (ttlMs === undefined) return;
    const limit = { limit: Number.POSITIVE_INFINITY };
    const waiting = new Waiting<string, 'rows'>(bytes('s-ttl'), string(), limit, cacheEntries, ['rows']);
    this.waiting = waiting;
    this.#holders.push(waiting);
    this.expiring = new ExpiringRows(ttlMs, this.rows, waiting, bytes('s'), string(), {
      expired: ({ endMs, key, value }) => this.gone.push(`${key}=${value}@${endMs}`),
      unread(error) {
        throw error;
      },
    });
  }

  commit(): void {
    const writes: StoreWrites[] = [];
    for (const holder of this.#holders) holder.collect(writes);
    stores.apply(writes);
    for (const holder of this.#holders) holder.committed();
  }

  write(key: string, value: number | null, time: number): boolean {
    const { expiring, rows } = this;
    expiring?.observe(time);
    const entry = rows.entry(key);
    if (entry.value === undefined && value !== null && expiring?.isOver(time) === true) return false;
    if (expiring === undefined) {
      if (value === null) rows.delete(entry);
      else rows.put(entry, value, time);
    } else if (value === null) expiring.delete(entry, key);
    else expiring.put(entry, key, value, time);
    return true;
  }
}

/** The same in a map, all of it looked at each time. */
class Model {
  readonly gone: string[] = [];
  readonly rows = new Map<string, { value: number; time: number }>();
  ttlMs: number | undefined;
  #time = -1;

  expire(): void {
    const { ttlMs } = this;
    if (ttlMs === undefined) return;
    const over = [...this.rows].filter(([, row]) => this.#time >= row.time + ttlMs);
    over.sort(([one, { time }], [other, { time: then }]) => time - then || (one < other ? -1 : 1));
    for (const [key, { time, value }] of over) {
      this.gone.push(`${key}=${value}@${time + ttlMs}`);
      this.rows.delete(key);
    }
  }

  /** Only who has a ttl has a time. */
  observe(time: number): void {
    if (this.ttlMs === undefined) return;
    this.#time = Math.max(this.#time, time);
  }

  write(key: string, value: number | null, time: number): boolean {
    this.observe(time);
    this.expire();
    const known = this.rows.get(key);
    if (value === null) this.rows.delete(key);
    else if (known === undefined && this.ttlMs !== undefined && time + this.ttlMs <= this.#time) return false;
    else this.rows.set(key, { value, time: this.ttlMs === undefined ? time : Math.max(time, known?.time ?? -1) });
    return true;
  }

  get(key: string): number | undefined {
    const row = this.rows.get(key);
    return row === undefined || (this.ttlMs !== undefined && row.time + this.ttlMs <= this.#time)
      ? undefined
      : row.value;
  }
}

const KEYS = ['a', 'b', 'c', 'é'];
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('write' as const),
      key: fc.constantFrom(...KEYS),
      value: fc.option(fc.nat({ max: 9 }), { freq: 5 }),
      time: fc.nat({ max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('look' as const), time: fc.nat({ max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('commit' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('restart' as const), ttlMs: fc.integer({ min: 1, max: 15 }) }),
  },
);

describe('rows with a time to live', () => {
  it('end as in a model that looks at all of them, whatever is written, looked up, forgotten and restarted', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined, freq: 4 }),
        fc.constantFrom(0, 1000),
        fc.array(step, { maxLength: 30 }),
        (ttlMs, cacheEntries, steps) => {
          const kept = new Kept();
          const model = new Model();
          kept.open(ttlMs, cacheEntries);
          model.ttlMs = ttlMs;
          for (const each of steps) {
            if (each.does === 'write') {
              expect(kept.write(each.key, each.value, each.time)).toBe(model.write(each.key, each.value, each.time));
            } else if (each.does === 'look') {
              const removes = kept.expiring?.reach(each.time);
              model.observe(each.time);
              for (const key of KEYS) expect((kept.expiring ?? kept.rows).get(key)).toBe(model.get(key));
              if (removes === true) kept.expiring?.expire();
              model.expire();
            } else {
              kept.commit();
              if (each.does === 'restart') {
                kept.open(each.ttlMs, cacheEntries);
                model.ttlMs = each.ttlMs;
              }
            }
            expect(kept.gone).toEqual(model.gone);
            for (const key of KEYS) expect(kept.rows.get(key)).toBe(model.rows.get(key)?.value);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('are in the index once, however often they are written, and not any more when they are deleted', () => {
    const kept = new Kept();
    kept.open(1000, 1000);
    for (let at = 0; at < 500; at += 1) kept.write('a', at, at);
    for (let at = 500; at < 600; at += 1) kept.write('b', at % 2 === 0 ? at : null, at);
    expect([...(kept.waiting?.entries() ?? [])].map(({ key, timestamp }) => [key, timestamp])).toEqual([['a', 0]]);
    kept.expiring?.observe(1000);
    expect([...(kept.waiting?.entries() ?? [])].map(({ key, timestamp }) => [key, timestamp])).toEqual([['a', 499]]);
    kept.expiring?.observe(1499);
    expect(kept.gone).toEqual(['a=499@1499']);
  });
});
