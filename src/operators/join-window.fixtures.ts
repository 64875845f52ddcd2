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

export const left = topic('left', { key: nullable(string()), value: nullable(json<number>()) });
export const right = topic('right', { key: nullable(string()), value: nullable(json<number>()) });
const out = topic('out', { key: string(), value: json<unknown>() });

type Side = 'left' | 'right';
interface Known {
  readonly side: Side;
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}
interface OpenWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly records: readonly Known[];
}

const keys = ['a', 'b', 'é'];
const ms = (n: number): Duration => `${n}ms`;

/** Windows as lists of records; everything is looked at for each record. */
interface Rules {
  readonly windower: SharedWindower;
  /** The windows of a record among those of its key that are open. */
  place(record: Known, open: readonly OpenWindow[]): OpenWindow[];
  isClosed(window: Pick<OpenWindow, 'end'>, streamTime: number): boolean;
  readonly byEnd: boolean;
}

function hoppingRules(size: number, advance: number, grace: number): Rules {
  const options = { size: ms(size), grace: ms(grace) } as const;
  return {
    windower: advance === size ? tumbling(options) : hopping({ ...options, advance: ms(advance) }),
    place(record, open) {
      const windows: OpenWindow[] = [];
      for (let start = 0; start <= record.timestamp; start += advance) {
        if (record.timestamp >= start + size) continue;
        const known = open.find((each) => each.key === record.key && each.start === start);
        windows.push({ key: record.key, start, end: start + size, records: [...(known?.records ?? []), record] });
      }
      return windows;
    },
    isClosed: ({ end }, streamTime) => end + grace <= streamTime,
    byEnd: false,
  };
}

function sessionRules(gap: number, grace: number): Rules {
  return {
    windower: session({ gap: ms(gap), grace: ms(grace) }),
    place(record, open) {
      const own = open.filter(
        ({ end, key, start }) => key === record.key && end >= record.timestamp - gap && start <= record.timestamp + gap,
      );
      const records = [...own.flatMap((each) => each.records), record];
      const times = records.map(({ timestamp }) => timestamp);
      return [{ key: record.key, start: Math.min(...times), end: Math.max(...times), records }];
    },
    isClosed: ({ end }, streamTime) => streamTime > end + gap + grace,
    byEnd: true,
  };
}

/** Every record with every window, and every pair. */
function model(rules: Rules, type: 'inner' | 'left' | 'outer', records: readonly Known[]) {
  let open: OpenWindow[] = [];
  let [streamTime, late] = [-1, 0];
  const rows: unknown[] = [];
  const rowsOf = ({ end, key, records: all, start }: OpenWindow): void => {
    const sorted = all.toSorted((one, other) => one.timestamp - other.timestamp);
    const [lefts, rights] = [
      sorted.filter(({ side }) => side === 'left'),
      sorted.filter(({ side }) => side === 'right'),
    ];
    const row = (l: Known | undefined, r: Known | undefined): void => {
      const timestamp = Math.max(l?.timestamp ?? -1, r?.timestamp ?? -1);
      rows.push([key, timestamp, [l?.value ?? null, r?.value ?? null, start, end]]);
    };
    for (const l of lefts) for (const r of rights) row(l, r);
    if (rights.length === 0 && type !== 'inner') for (const l of lefts) row(l, undefined);
    if (lefts.length === 0 && type === 'outer') for (const r of rights) row(undefined, r);
  };
  const close = (): void => {
    const closed = open.filter((window) => rules.isClosed(window, streamTime));
    open = open.filter((window) => !closed.includes(window));
    const byKey = (l: OpenWindow, r: OpenWindow): number => keys.indexOf(l.key) - keys.indexOf(r.key);
    closed.sort((l, r) => (rules.byEnd ? l.end - r.end : 0) || l.start - r.start || byKey(l, r));
    for (const window of closed) rowsOf(window);
  };
  for (const record of records) {
    streamTime = Math.max(streamTime, record.timestamp);
    for (const window of rules.place(record, open)) {
      if (rules.isClosed(window, streamTime)) {
        late += 1;
        continue;
      }
      const replaced = (each: OpenWindow): boolean => each.records.some((known) => window.records.includes(known));
      open = open.filter((each) => !(replaced(each) && (rules.byEnd || each.start === window.start)));
      open.push(window);
    }
    close();
  }
  streamTime = Number.POSITIVE_INFINITY;
  close();
  return { rows, late };
}

const rulesCase = fc
  .record({ size: fc.integer({ min: 1, max: 9 }), advance: fc.integer({ min: 1, max: 9 }), grace: fc.nat({ max: 6 }) })
  .chain(({ advance, grace, size }) =>
    fc.constantFrom(
      hoppingRules(size, size, grace),
      hoppingRules(size, Math.min(size, advance), grace),
      sessionRules(size, grace),
    ),
  );
const record = fc.record({
  side: fc.constantFrom<Side>('left', 'right'),
  key: fc.constantFrom(...keys),
  timestamp: fc.nat({ max: 30 }),
});

export const joinCase = fc.record({
  rules: rulesCase,
  type: fc.constantFrom('inner' as const, 'left' as const, 'outer' as const),
  turns: fc.array(fc.record({ records: fc.array(record, { minLength: 1, maxLength: 3 }), restart: fc.boolean() }), {
    maxLength: 9,
  }),
});

/** What the join and the model say. Records of a turn are of one side, so that they come in their order. */
export function bothOutcomes(
  { rules, turns, type }: typeof joinCase extends fc.Arbitrary<infer T> ? T : never,
  options: TestDriverOptions,
): { readonly join: unknown; readonly model: unknown } {
  const combine = (l: number | null, r: number | null, at?: { readonly window: { start: number; end: number } }) => [
    l,
    r,
    at?.window.start,
    at?.window.end,
  ];
  const pipeline = left.pipe(
    joinWindow(right, rules.windower, combine as never, { store: 's', type: type as 'inner' }),
    to(out as never),
  );
  const driver = new TestDriver(pipeline, options);
  const all: Known[] = [];
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
  return {
    join: { rows, late: driver.late.reduce((sum, { late }) => sum + late.missed.length, 0) },
    model: model(rules, type, all),
  };
}
