import fc from 'fast-check';
import {
  batch,
  type Duration,
  debounceByKey,
  dedupe,
  json,
  nullable,
  type Stream,
  string,
  throttleByKey,
  to,
  topic,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';

/** Naive models of the pacing steps: plain arrays that forget nothing and recompute everything. */

interface Given {
  readonly key: string | null;
  readonly value: number;
  readonly timestamp: number;
}
interface Known extends Given {
  readonly key: string;
}
type Rows = readonly unknown[];

interface Model {
  take(record: Known): Rows;
  end(): Rows;
  late: number;
}

const row = ({ key, timestamp, value }: Known): unknown => [key, value, timestamp];
const keys = ['a', 'b', 'é'];

function dedupeModel(within: number, grace: number, byValue: boolean): Model {
  const passed: Known[] = [];
  let streamTime = -1;
  return {
    late: 0,
    take(record) {
      streamTime = Math.max(streamTime, record.timestamp);
      if (record.timestamp < streamTime - grace) {
        this.late += 1;
        return [];
      }
      const isLike = ({ key, timestamp, value }: Known): boolean =>
        key === record.key && (!byValue || value === record.value) && Math.abs(timestamp - record.timestamp) <= within;
      if (passed.some(isLike)) return [];
      passed.push(record);
      return [row(record)];
    },
    end: () => [],
  };
}

function throttleModel(span: number, grace: number, take: 'first' | 'last' | 'both'): Model {
  interface Span {
    readonly key: string;
    readonly start: number;
    newest: Known | undefined;
    closed: boolean;
  }
  const spans: Span[] = [];
  let streamTime = -1;
  const close = (): Rows =>
    spans
      .filter((each) => !each.closed && each.start + span + grace <= streamTime)
      .sort((one, other) => one.start - other.start || keys.indexOf(one.key) - keys.indexOf(other.key))
      .flatMap((each) => {
        each.closed = true;
        return each.newest === undefined ? [] : [row(each.newest)];
      });
  return {
    late: 0,
    take(record) {
      const { key, timestamp } = record;
      streamTime = Math.max(streamTime, timestamp);
      const closed = close();
      if (timestamp < streamTime - grace) {
        this.late += 1;
        return closed;
      }
      const own = spans.find((each) => each.key === key && each.start <= timestamp && timestamp < each.start + span);
      if (own !== undefined) {
        if (take !== 'first' && timestamp >= (own.newest?.timestamp ?? own.start)) own.newest = record;
        return closed;
      }
      if (spans.some((each) => each.key === key && timestamp < each.start && each.start < timestamp + span)) {
        return closed;
      }
      spans.push({ key, start: timestamp, newest: take === 'last' ? record : undefined, closed: false });
      return take === 'last' ? closed : [...closed, row(record)];
    },
    end() {
      streamTime = Number.POSITIVE_INFINITY;
      return close();
    },
  };
}

function debounceModel(silence: number, grace: number): Model {
  let open: Known[] = [];
  let streamTime = -1;
  /** The records of a key, split into bursts where they are `silence` apart. */
  const burstsOf = (records: readonly Known[]): Known[][] =>
    keys.flatMap((key) => {
      const bursts: Known[][] = [];
      for (const record of records.filter((each) => each.key === key).sort((l, r) => l.timestamp - r.timestamp)) {
        const last = bursts.at(-1);
        if (last === undefined || record.timestamp - (last.at(-1) as Known).timestamp >= silence) bursts.push([record]);
        else last.push(record);
      }
      return bursts;
    });
  const hasEnded = (burst: readonly Known[]): boolean =>
    (burst.at(-1) as Known).timestamp + silence + grace <= streamTime;
  const close = (): Rows => {
    const ended = burstsOf(open).filter(hasEnded);
    open = open.filter((record) => !ended.some((burst) => burst.includes(record)));
    const last = ended.map((burst) => burst.at(-1) as Known);
    return last.sort((l, r) => l.timestamp - r.timestamp || keys.indexOf(l.key) - keys.indexOf(r.key)).map(row);
  };
  return {
    late: 0,
    take(record) {
      streamTime = Math.max(streamTime, record.timestamp);
      const closed = close();
      const own = burstsOf([...open, record]).find((burst) => burst.includes(record)) as Known[];
      if (hasEnded(own)) this.late += 1;
      else open.push(record);
      return closed;
    },
    end() {
      streamTime = Number.POSITIVE_INFINITY;
      return close();
    },
  };
}

function batchModel(count: number, within: number): Model {
  let open: { readonly key: string; readonly due: number; readonly records: Known[] }[] = [];
  let streamTime = -1;
  const rowOf = (key: string, records: readonly Known[]): unknown => [
    key,
    records.map(({ value }) => value),
    Math.max(...records.map(({ timestamp }) => timestamp)),
  ];
  const close = (): Rows => {
    const due = open.filter((each) => each.due <= streamTime);
    open = open.filter((each) => !due.includes(each));
    due.sort((l, r) => l.due - r.due || keys.indexOf(l.key) - keys.indexOf(r.key));
    return due.map(({ key, records }) => rowOf(key, records));
  };
  return {
    late: 0,
    take(record) {
      streamTime = Math.max(streamTime, record.timestamp);
      const rows = [...close()];
      let own = open.find(({ key }) => key === record.key);
      if (own === undefined) {
        own = { key: record.key, due: streamTime + within, records: [] };
        open.push(own);
      }
      own.records.push(record);
      if (own.records.length === count) {
        rows.push(rowOf(own.key, own.records));
        open = open.filter((each) => each !== own);
      }
      return rows;
    },
    end() {
      streamTime = Number.POSITIVE_INFINITY;
      return close();
    },
  };
}

const source = topic('source', { key: nullable(string()), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const ms = (n: number): Duration => `${n}ms`;

export interface PacingCase {
  readonly name: string;
  readonly pipeline: Stream<unknown>;
  readonly model: () => Model;
}

export const pacingCase: fc.Arbitrary<PacingCase> = fc
  .record({ span: fc.integer({ min: 1, max: 9 }), grace: fc.nat({ max: 9 }), count: fc.integer({ min: 1, max: 4 }) })
  .chain(({ count, grace: g, span }) => {
    const grace = ms(g);
    const store = 's';
    const made = (name: string, pipeline: unknown, model: () => Model): PacingCase => {
      return { name: `${name} ${span} grace ${g} count ${count}`, pipeline: pipeline as Stream<unknown>, model };
    };
    return fc.constantFrom(
      made('dedupe', source.pipe(dedupe({ within: ms(span - 1), grace, store }), to(out)), () =>
        dedupeModel(span - 1, g, false),
      ),
      made(
        'dedupe by value',
        source.pipe(dedupe({ within: ms(span), grace, store, by: (value) => value }), to(out)),
        () => dedupeModel(span, g, true),
      ),
      ...(['first', 'last', 'both'] as const).map((take) =>
        made(`throttle ${take}`, source.pipe(throttleByKey(ms(span), { grace, store, take }), to(out)), () =>
          throttleModel(span, g, take),
        ),
      ),
      made('debounce', source.pipe(debounceByKey(ms(span), { grace, store }), to(out)), () => debounceModel(span, g)),
      made('batch', source.pipe(batch({ count, within: ms(span), store }), to(out)), () => batchModel(count, span)),
    );
  });

/** Records in turns of any size, with restarts after some turns. */
export const turns: fc.Arbitrary<readonly { readonly records: readonly Given[]; readonly restart: boolean }[]> =
  fc.array(
    fc.record({
      records: fc.array(
        fc.record({
          key: fc.constantFrom<(string | null)[]>(...keys, ...keys, null),
          value: fc.nat({ max: 2 }),
          timestamp: fc.nat({ max: 40 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      restart: fc.boolean(),
    }),
    { maxLength: 10 },
  );

/** The output of the step and of its model. */
export function bothOutcomes(
  { model: makeModel, pipeline }: PacingCase,
  given: typeof turns extends fc.Arbitrary<infer T> ? T : never,
  options: TestDriverOptions,
): { readonly step: unknown; readonly model: unknown } {
  const driver = new TestDriver(pipeline, options);
  const model = makeModel();
  const [written, wanted]: [unknown[], unknown[]] = [[], []];
  for (const { records, restart } of given) {
    driver.pipeAll(source, records);
    for (const record of records) if (record.key !== null) wanted.push(...model.take(record as Known));
    if (restart) driver.restart();
  }
  driver.end('close');
  wanted.push(...model.end());
  for (const { key, timestamp, value } of driver.read(out)) written.push([key, value, timestamp]);
  return {
    step: { rows: written, late: driver.late.length },
    model: { rows: wanted, late: model.late },
  };
}
