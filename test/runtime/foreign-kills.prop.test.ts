import fc from 'fast-check';
import { int32, joinRows, type MillraceError, nullable, string, table, to, topic, toStream } from 'millrace';
import { expect, it } from 'vitest';
import { unevenly } from './shuffle-time.ts';
import { type Call, endsAt, FaultyLog, hastyClock } from './support.ts';

const numbers = (name: string) => topic(name, { key: string(), value: nullable(int32()) });
const out = numbers('out');
const rows = (name: string) => table(name, { key: string(), value: int32() });

const FAULTY: ReadonlySet<Call> = new Set(['group', 'send', 'commit', 'commit done']);

/** A row of the left table belongs to the row of the right one that has its last digit for a key. */
const pipeline = rows('left').pipe(
  joinRows(rows('right'), (own, other) => own * 1000 + other, { store: 'rows', key: (own) => `${own % 10}` }),
  toStream(),
  to(out),
);

interface Plan {
  readonly partitions: number;
  readonly writes: readonly {
    readonly to: 'left' | 'right';
    readonly key: string;
    readonly value: number | null;
  }[];
  readonly seed: number;
  /** After how many calls the process is gone, again and again. */
  readonly kills: readonly number[];
}

const write = fc.record({
  to: fc.constantFrom('left' as const, 'left' as const, 'right' as const),
  key: fc.constantFrom('0', '1', '2', '3', '4'),
  value: fc.option(fc.nat({ max: 99 }), { freq: 6, nil: null }),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  partitions: fc.constantFrom(2, 3, 5),
  writes: fc.array(write, { minLength: 1, maxLength: 40 }),
  seed: fc.nat({ max: 1000 }),
  kills: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }),
});

/** @returns The joined rows that are left, and those that should be. */
async function run({ kills, partitions, seed, writes }: Plan) {
  const log = new FaultyLog();
  for (const name of ['left', 'right']) log.create(name, partitions);
  log.create(out.name);
  for (const { to: target, key, value } of writes) log.publish(numbers(target), [{ key, value }]);
  log.fault = endsAt(FAULTY, kills);
  for (let done = false; !done; ) {
    const app = log.run(pipeline, {
      transport: async () => unevenly(await log.open(), seed),
      commitInterval: '0ms',
      clock: hastyClock,
      until: 'end',
    });
    done = await app.done.then(
      () => true,
      (error: MillraceError) => {
        if (error.code !== 'ERR_TEST') throw error;
        return false;
      },
    );
  }
  const final = { left: new Map<string, number>(), right: new Map<string, number>() };
  for (const { to: target, key, value } of writes) {
    if (value === null) final[target].delete(key);
    else final[target].set(key, value);
  }
  const wanted = new Map<string, number>();
  for (const [key, own] of final.left) {
    const other = final.right.get(`${own % 10}`);
    if (other !== undefined) wanted.set(key, own * 1000 + other);
  }
  const found = new Map<string, number>();
  for (const { key, value } of log.read(out)) {
    if (value === null) found.delete(key);
    else found.set(key, value);
  }
  return { found, wanted };
}

/** Where what was known of a row was forgotten, an old reply became the last one. */
const FOUND: readonly Plan[] = [
  {
    partitions: 3,
    writes: [
      { to: 'right', key: '0', value: 0 },
      { to: 'left', key: '0', value: 0 },
      { to: 'left', key: '0', value: 7 },
      { to: 'left', key: '4', value: 17 },
    ],
    seed: 411,
    kills: [3, 3, 9, 3, 4, 9, 2, 6],
  },
  {
    partitions: 3,
    writes: [
      { to: 'left', key: '4', value: 22 },
      { to: 'right', key: '1', value: null },
      { to: 'right', key: '2', value: 0 },
      { to: 'right', key: '4', value: null },
      { to: 'right', key: '4', value: null },
      { to: 'left', key: '1', value: 94 },
      { to: 'left', key: '4', value: 35 },
    ],
    seed: 806,
    kills: [1, 1, 7, 1, 6, 8],
  },
];

it('replies that were under way when the process ended are known for old ones', async () => {
  for (const each of FOUND) {
    const { found, wanted } = await run(each);
    expect(found).toEqual(wanted);
  }
});

it('joined rows are those of the final tables, however often the process ends while replies are under way', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const { found, wanted } = await run(given);
      expect(found).toEqual(wanted);
    }),
    { numRuns: 30 },
  );
}, 120_000);
