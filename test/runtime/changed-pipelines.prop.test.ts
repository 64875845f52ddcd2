import fc from 'fast-check';
import {
  agg,
  aggregate,
  int32,
  type Logger,
  MillraceError,
  mapValues,
  type Pipeline,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { describe, expect, it } from 'vitest';
import { withoutState } from '../../src/runtime/app/changelog.fixtures.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';
import { type Call, FaultyLog, hastyClock } from './support.ts';

const numbers = (name: string) => topic(name, { key: string(), value: int32() });
const source = numbers('source');
const mid = numbers('mid');
/** Topics of tables, by the names of their stores. */
const tables = { counts: numbers('counts'), sums: numbers('sums'), other: numbers('other') };
const windows = numbers('windows');
const outputs = [mid, ...Object.values(tables), windows];
type StoreName = keyof typeof tables;

/** How the pipeline is between two changes of it. */
interface Version {
  /** Whether all tables are behind a shuffle. */
  readonly through: boolean;
  /** Whether a step without state is before them. */
  readonly inserted: boolean;
  /** The tables, each of which counts all records by key. A renamed step has another store. */
  readonly stores: readonly StoreName[];
  /** Whether windows are counted too. */
  readonly windows: boolean;
}

interface Run {
  readonly version: Version;
  readonly records: number;
  /** After how many calls the process is gone, if it is. */
  readonly dies: number | undefined;
}

const version: fc.Arbitrary<Version> = fc.record({
  through: fc.boolean(),
  inserted: fc.boolean(),
  stores: fc.constantFrom<readonly StoreName[]>(['counts'], ['counts'], ['counts', 'sums'], ['other'], [], ['sums']),
  windows: fc.boolean(),
});

const run = (dies: fc.Arbitrary<number | undefined>): fc.Arbitrary<Run> =>
  fc.record({ version, records: fc.constantFrom(0, 1, 5, 30), dies });

const kinds = ['with its state', 'with changelogs', 'with changelogs, at least once'] as const;

function pipelineOf({ inserted, stores, through: shuffled, windows: counted }: Version): Pipeline {
  const read = inserted ? source.pipe(mapValues((value) => value)) : source;
  const stream = shuffled ? read.pipe(through(mid)) : read;
  return [
    stream.pipe(to(numbers('copies'))),
    ...stores.map((store) => stream.pipe(aggregate(agg.count(), { store }), to(tables[store]))),
    ...(counted
      ? [stream.pipe(windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'windows' }), to(windows))]
      : []),
  ];
}

/** One application on one log, whose pipeline changes. */
class Changing {
  readonly log = new FaultyLog();
  readonly warnings: string[] = [];
  readonly #local = memoryStores();
  readonly #kind: (typeof kinds)[number];
  #published = 0;

  constructor(kind: (typeof kinds)[number], partitions: number) {
    this.#kind = kind;
    this.log.create('source', partitions);
  }

  publish(count: number): void {
    const more = Array.from({ length: count }, (_, at) => {
      const n = this.#published + at;
      return { key: `k${n % 7}`, value: n, timestamp: n * 1000 };
    });
    this.#published += count;
    this.log.publish(source, more);
  }

  get published(): number {
    return this.#published;
  }

  /** @returns What the process ended with, if not well, and how many records were late. */
  async run(changed: Version, dies?: number, openWindows: 'keep' | 'close' = 'keep') {
    this.warnings.length = 0;
    const warn: Logger['warn'] = (_, text) => void this.warnings.push(text);
    const logger: Logger = { debug: () => undefined, info: () => undefined, warn, error: () => undefined };
    let calls = 0;
    this.log.fault = (call) => {
      if (dies === undefined || !FAULTY.has(call) || ++calls <= dies) return;
      throw new MillraceError('fatal', 'ERR_TEST', `the process ends at ${call}`);
    };
    const { log } = this.log;
    const state = this.#kind === 'with its state' ? {} : { transport: this.#changelogs(log) };
    const options = { clock: hastyClock, commitInterval: '0ms', batch: { count: 5 }, logger, ...state } as const;
    const app = this.log.run(pipelineOf(changed), { ...options, openWindows, until: 'end' });
    const error = await app.done.then(
      () => undefined,
      (failure: MillraceError) => failure,
    );
    return { error, late: app.snapshot().late };
  }

  /** A table as those who read its topic see it. */
  table(store: StoreName): Record<string, number | null> {
    return Object.fromEntries(this.log.read(tables[store]).map(({ key, value }) => [key, value]));
  }

  get wanted(): Record<string, number> {
    const all: Record<string, number> = {};
    for (let n = 0; n < this.#published; n += 1) all[`k${n % 7}`] = (all[`k${n % 7}`] ?? 0) + 1;
    return all;
  }

  /** All that there is, to see whether anything has changed. */
  get written(): unknown {
    const ends = outputs.map(({ name }) => {
      const there = this.log.log.describe(name) === undefined ? [] : [...this.log.log.offsets(name, 'latest').values()];
      return [name, there.reduce((sum, end) => sum + end, 0)];
    });
    const partitions = this.log.log.describe('source')?.partitions ?? 0;
    return [ends, Array.from({ length: partitions }, (_, at) => this.log.committed('app', 'source', at))];
  }

  #changelogs(log: FaultyLog['log']) {
    return withoutState(log, this.#local, this.#kind === 'with changelogs');
  }
}

const FAULTY: ReadonlySet<Call> = new Set(['group', 'send', 'commit', 'commit done', 'poll']);
/** Refusals that say that a store lacks records. */
const REFUSED = new Set(['ERR_STATE_BEHIND']);

describe.each(kinds)('an application whose pipeline changes between runs, %s', (kind) => {
  it('counts each record once, or is refused, or says which store lacks records', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(run(fc.constant(undefined)), { minLength: 1, maxLength: 8 }),
        async (partitions, runs) => {
          const app = new Changing(kind, partitions);
          /** Whether each store has all records that came its way; absent before its first run. */
          const whole = new Map<StoreName, boolean>();
          const behindShuffle = new Set<StoreName>();
          let processed = 0;
          for (const { records, version: changed } of runs) {
            app.publish(records);
            const before = app.written;
            const { error } = await app.run(changed);
            if (error !== undefined) {
              expect(error).toMatchObject({ code: expect.toSatisfy((code: string) => REFUSED.has(code)) });
              // What is before a shuffle may have begun.
              if (!changed.through) expect(app.written).toEqual(before);
              continue;
            }
            // What a version without the shuffle has read never comes to the stores behind it.
            if (!changed.through && app.published > processed) {
              for (const store of behindShuffle) if (!changed.stores.includes(store)) whole.set(store, false);
            }
            processed = app.published;
            for (const store of changed.stores) {
              if (changed.through) behindShuffle.add(store);
              else behindShuffle.delete(store);
              const said = app.warnings.some((text) => text.includes(`store ${store} `));
              const complete =
                JSON.stringify(app.table(store)) === JSON.stringify(sorted(app.wanted, app.table(store)));
              if (!complete && whole.get(store) === true)
                expect(said, `${store} lacks records, and nothing is said`).toBe(true);
              whole.set(store, complete);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** In the order of keys of another one. */
function sorted(all: Record<string, number>, like: Record<string, unknown>): Record<string, number | undefined> {
  const keys = [...Object.keys(like), ...Object.keys(all).filter((key) => !(key in like))];
  return Object.fromEntries(keys.map((key) => [key, all[key]]));
}
