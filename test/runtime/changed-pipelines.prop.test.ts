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
const copies = numbers('copies');
/** Topics of tables, by the names of their stores. */
const tables = { counts: numbers('counts'), sums: numbers('sums'), other: numbers('other') };
type StoreName = keyof typeof tables;
const storeNames = Object.keys(tables) as readonly StoreName[];

/** Where a step is: it reads the source, or a shuffle behind it, or there is none. */
type Place = 'none' | 'direct' | 'behind';

/** How the pipeline is between two changes of it. */
interface Version {
  /** Whether a step without state is first. */
  readonly inserted: boolean;
  /** Tables that count records by key. */
  readonly stores: Readonly<Record<StoreName, Place>>;
  /** A step with windows. */
  readonly windows: Place;
  /** What becomes of the shuffle if no step with state is behind it. */
  readonly shuffle: 'none' | 'written' | 'copied';
}

interface Run {
  readonly version: Version;
  readonly records: number;
  /** After how many calls the process is gone, if it is. */
  readonly dies: number | undefined;
  /** Whether records that a store lacks are to be processed again if possible, not skipped. */
  readonly again: boolean;
}

const place = fc.constantFrom<Place>('none', 'none', 'direct', 'direct', 'behind');
const version: fc.Arbitrary<Version> = fc.record({
  inserted: fc.boolean(),
  stores: fc.record({ counts: place, sums: place, other: fc.constantFrom<Place>('none', 'none', 'none', 'direct') }),
  windows: fc.constantFrom<Place>('none', 'none', 'none', 'direct', 'behind'),
  shuffle: fc.constantFrom<Version['shuffle']>('none', 'none', 'written', 'copied'),
});

const runOf = (dies: fc.Arbitrary<number | undefined>): fc.Arbitrary<Run> =>
  fc.record({ version, records: fc.constantFrom(0, 1, 5, 30), dies, again: fc.boolean() });

const kinds = ['with its state', 'with changelogs', 'with changelogs, at least once'] as const;

function isShuffled({ shuffle, stores, windows }: Version): boolean {
  return shuffle !== 'none' || windows === 'behind' || Object.values(stores).includes('behind');
}

function pipelineOf(version: Version): Pipeline {
  const { inserted, shuffle, stores, windows } = version;
  const read = inserted ? source.pipe(mapValues((value) => value)) : source;
  const from = (where: Place) => (where === 'behind' ? mid : read);
  const size = tumbling({ size: '10s', grace: '0s' });
  return [
    read.pipe(to(copies)),
    ...(isShuffled(version) ? [read.pipe(to(mid))] : []),
    ...(shuffle === 'copied' ? [mid.pipe(to(numbers('mid-copies')))] : []),
    ...storeNames
      .filter((store) => stores[store] !== 'none')
      .map((store) => from(stores[store]).pipe(aggregate(agg.count(), { store }), to(tables[store]))),
    ...(windows === 'none'
      ? []
      : [from(windows).pipe(windowBy(size, agg.count(), { store: 'windows' }), to(numbers('windows')))]),
  ];
}

/** One application on one log, whose pipeline changes. */
class Changing {
  readonly log = new FaultyLog();
  /** Warnings since the last run that ended well; those about a store, since the last such run that used it. */
  readonly warnings: string[] = [];
  readonly #local = memoryStores();
  readonly #kind: (typeof kinds)[number];
  #published = 0;

  constructor(kind: (typeof kinds)[number], partitions: number) {
    this.#kind = kind;
    for (const { name } of [source, mid]) this.log.create(name, partitions);
  }

  publish(count: number): void {
    const more = Array.from({ length: count }, (_, at) => {
      const n = this.#published + at;
      return { key: `k${n % 7}`, value: n, timestamp: n * 1000 };
    });
    this.#published += count;
    this.log.publish(source, more);
  }

  /** @returns What the process ended with, if not well. */
  async run(changed: Version, dies?: number): Promise<MillraceError | undefined> {
    const warn: Logger['warn'] = (_, text) => void this.warnings.push(text);
    const logger: Logger = { debug: () => undefined, info: () => undefined, warn, error: () => undefined };
    let calls = 0;
    this.log.fault = (call) => {
      if (dies === undefined || !FAULTY.has(call) || ++calls <= dies) return;
      throw new MillraceError('fatal', 'ERR_TEST', `the process ends at ${call}`);
    };
    const { log } = this.log;
    const transport = withoutState(log, this.#local, this.#kind === 'with changelogs');
    const state = this.#kind === 'with its state' ? {} : { transport };
    const options = { clock: hastyClock, commitInterval: '0ms', batch: { count: 5 }, logger, ...state } as const;
    return this.log.run(pipelineOf(changed), { ...options, until: 'end' }).done.then(
      () => undefined,
      (failure: MillraceError) => failure,
    );
  }

  /** How many records of each key a table lacks; negative if it has counted some twice. */
  lacking(store: StoreName): readonly number[] {
    const counted = new Map(this.log.read(tables[store]).map(({ key, value }) => [key, value ?? 0]));
    return Array.from({ length: 7 }, (_, k) => {
      const all = Math.max(0, Math.ceil((this.#published - k) / 7));
      return all - (counted.get(`k${k}`) ?? 0);
    });
  }

  /** Somebody has seen what was said up to a run that ended well. */
  heard(used: readonly StoreName[]): void {
    const unused = storeNames.filter((name) => !used.includes(name));
    const open = this.warnings.filter((text) => unused.some((name) => text.includes(`store ${name}`)));
    this.warnings.splice(0, this.warnings.length, ...open);
  }

  get copied(): readonly (number | null)[] {
    return this.log.read(copies).map(({ value }) => value);
  }

  get published(): readonly number[] {
    return Array.from({ length: this.#published }, (_, n) => n);
  }

  set(at: { readonly topic: string; readonly partition: number }, offset: number): void {
    this.log.log.setCommitted('app', [{ topic: at.topic, partition: at.partition, offset }]);
  }
}

const FAULTY: ReadonlySet<Call> = new Set(['group', 'send', 'commit', 'commit done', 'poll']);
const byNumber = (left: number | null, right: number | null): number => (left ?? -1) - (right ?? -1);

/**
 * After each run that ends well, a table lacks what it lacked before, unless a warning names its store. A start that is
 * refused says which store lacks which records, and they are skipped or processed again as a person would do it.
 */
async function check(kind: (typeof kinds)[number], partitions: number, runs: readonly Run[]): Promise<void> {
  const app = new Changing(kind, partitions);
  const lacking = new Map<StoreName, readonly number[]>();
  /** Stores that were not there when a person set an offset: what they lack behind the shuffle is not known any more. */
  const forgotten = new Set<StoreName>();
  let repeated = false;
  let isSet = false;
  let died = false;
  for (const { again, dies, records, version: changed } of runs) {
    app.publish(records);
    const used = storeNames.filter((each) => changed.stores[each] !== 'none');
    let error = await app.run(changed, dies);
    let skips = false;
    for (let tries = 0; error !== undefined && error.code !== 'ERR_TEST'; tries += 1) {
      const { code, lastOffset = 0, message, offset = 0, partition = 0, topic: name = '' } = error;
      expect(code, message).toMatch(/^ERR_(STATE_BEHIND|OFFSET_BEHIND_STATE)$/);
      expect(message).toMatch(/store (counts|sums|other|windows) /);
      const only = used.length === 1 && changed.windows === 'none' && !isShuffled(changed);
      const repeats = again && only && code === 'ERR_STATE_BEHIND';
      repeated ||= repeats;
      skips ||= !repeats;
      isSet = true;
      app.set({ topic: name, partition }, repeats ? offset : lastOffset + 1);
      for (const store of storeNames) if (!used.includes(store)) forgotten.add(store);
      expect(tries, 'how often a person has to set an offset').toBeLessThan(20);
      error = await app.run(changed);
    }
    died ||= error !== undefined;
    if (error !== undefined) continue;
    const twice = repeated || (died && kind === 'with changelogs, at least once');
    if (twice) expect(new Set(app.copied)).toEqual(new Set(app.published));
    else expect([...app.copied].sort(byNumber)).toEqual(app.published);
    if (!isSet) expect(app.warnings.filter((text) => text.includes('by hand'))).toEqual([]);
    // Without a death, all has been read of the shuffle.
    const warnings = app.warnings.filter((text) => died || !text.includes('what it had not read there'));
    const rests = died && app.warnings.some((text) => text.includes('that it has not read, and no step reads them'));
    for (const store of used) {
      const now = app.lacking(store);
      const before = lacking.get(store) ?? now.map(() => 0);
      const excused = skips || rests || (forgotten.has(store) && changed.stores[store] === 'behind');
      if (!excused && !warnings.some((text) => text.includes(`store ${store}`))) {
        // Records that were left in the shuffle still come.
        const least = (key: number): number => (twice ? Number.NEGATIVE_INFINITY : Math.min(0, before[key] ?? 0));
        const wanted = now.map((lacks, key) =>
          lacks >= least(key) && lacks < (before[key] ?? 0) ? lacks : before[key],
        );
        expect(now, `what ${store} lacks of each key, and nothing is said`).toEqual(wanted);
      }
      forgotten.delete(store);
      lacking.set(store, now);
    }
    app.heard(used);
  }
}

const deaths = fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined });

describe.each(kinds)('an application whose pipeline changes between runs, %s', (kind) => {
  it.each([
    ['always ends well', fc.constant(undefined)],
    ['dies at times', deaths],
  ])(
    'counts each record once, or is refused, or says which store lacks records: it %s',
    { timeout: 240_000 },
    async (_, dies) => {
      const runs = fc.array(runOf(dies), { minLength: 1, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 3 }), runs, (partitions, all) => check(kind, partitions, all)),
        { numRuns: 30 },
      );
    },
  );
});
