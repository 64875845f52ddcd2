import fc from 'fast-check';
import {
  type Duration,
  hopping,
  joinWindow,
  json,
  nullable,
  type SharedWindower,
  session,
  string,
  to,
  topic,
  tumbling,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import { joinWindowModel, type SidedRecord } from 'millrace/testing/models';

export const left = topic('left', { key: nullable(string()), value: nullable(json<number>()) });
export const right = topic('right', { key: nullable(string()), value: nullable(json<number>()) });
const out = topic('out', { key: string(), value: json<unknown>() });

type Side = 'left' | 'right';

const keys = ['a', 'b', 'é'];
const ms = (n: number): Duration => `${n}ms`;

const windowers: fc.Arbitrary<SharedWindower> = fc
  .record({ size: fc.integer({ min: 1, max: 9 }), advance: fc.integer({ min: 1, max: 9 }), grace: fc.nat({ max: 6 }) })
  .chain(({ advance, grace, size }) =>
    fc.constantFrom<SharedWindower>(
      tumbling({ size: ms(size), grace: ms(grace) }),
      hopping({ size: ms(size), advance: ms(Math.min(size, advance)), grace: ms(grace) }),
      session({ gap: ms(size), grace: ms(grace) }),
    ),
  );
const record = fc.record({
  side: fc.constantFrom<Side>('left', 'right'),
  key: fc.constantFrom(...keys),
  timestamp: fc.nat({ max: 30 }),
});

export const joinCase = fc.record({
  windower: windowers,
  type: fc.constantFrom('inner' as const, 'left' as const, 'outer' as const),
  turns: fc.array(fc.record({ records: fc.array(record, { minLength: 1, maxLength: 3 }), restart: fc.boolean() }), {
    maxLength: 9,
  }),
});

/**
 * The output of the join and of the model. All records of a turn belong to one side, so that their order is defined.
 */
export function bothOutcomes(
  { turns, type, windower }: typeof joinCase extends fc.Arbitrary<infer T> ? T : never,
  options: TestDriverOptions,
): { readonly join: unknown; readonly model: unknown } {
  const combine = (l: number | null, r: number | null, at?: { readonly window: { start: number; end: number } }) => [
    l,
    r,
    at?.window.start,
    at?.window.end,
  ];
  const pipeline = left.pipe(
    joinWindow(right, windower, combine as never, { store: 's', type: type as 'inner' }),
    to(out as never),
  );
  const driver = new TestDriver(pipeline, options);
  const all: SidedRecord<string, number, number>[] = [];
  let value = 0;
  for (const { records, restart } of turns) {
    const side = records[0]?.side ?? 'left';
    const given = records.map(({ key, timestamp }) => ({ side, key, timestamp, value: value++ }));
    driver.pipeAll(
      side === 'left' ? left : right,
      given.map(({ key, timestamp, value: sent }) => ({ key, timestamp, value: sent })),
    );
    all.push(...given);
    if (restart) driver.restart();
  }
  driver.end('close');
  const rows = driver.read(out).map(({ key, timestamp, value: row }) => [key, timestamp, row]);
  const model = joinWindowModel(windower, { type }, (l: number | null, r: number | null) => [l, r], all);
  return {
    join: { rows, late: driver.late.reduce((sum, { late }) => sum + late.missed.length, 0) },
    model: {
      rows: model.rows.map((each) => [
        each.key,
        each.timestamp,
        [...(each.value ?? []), each.window?.start, each.window?.end],
      ]),
      late: model.late,
    },
  };
}
