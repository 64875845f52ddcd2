import { int32, topic } from 'millrace';
import { lmdbStores } from 'millrace/embedded';
import { TestDriver } from 'millrace/testing';
import type { StoreBackend } from '../src/state/byte-store.ts';
import { inChild } from './shared/child.ts';
import { coreRates, seededRandom, stopwatch, type Time } from './shared/measure.ts';
import { batchesOf, passAll } from './shared/one-task.ts';
import { type CaseRecord, OPERATOR_CASES, type OperatorCase } from './shared/operator-cases.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

type Where = 'memory' | 'LMDB';

const TOPICS = ['source', 'other'];
/** So many records close windows. */
const MANY = 50_000;
/** Records that a driver takes at once, with a commit after them. */
const CHUNK = 10_000;

/**
 * Records per second of an operator, with its stores in memory or on LMDB: one task without a log, or, where the operator has
 * shuffles, a test driver.
 */
export async function caseRates(name: string, where: Where, records: number, runs: number): Promise<number[]> {
  const chosen = OPERATOR_CASES[name] as OperatorCase;
  return withScratch(async (path) => {
    const stores = where === 'LMDB' ? await lmdbStores(path) : undefined;
    const prepared = chosen.stages === true ? driven(chosen, records) : inOneTask(chosen, records);
    const times: Time[] = [];
    for (let run = -1; run < runs; run += 1) {
      const time = stopwatch();
      prepared(stores, `run-${run}`);
      if (run >= 0) times.push(time());
    }
    await stores?.close();
    return coreRates(records, times);
  });
}

type Pass = (stores: StoreBackend | undefined, applicationId: string) => void;

function recordsOf({ record }: OperatorCase, count: number): CaseRecord[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, (_, at) => record(at, random()));
}

function inOneTask(chosen: OperatorCase, count: number): Pass {
  const all = recordsOf(chosen, count);
  const serde = int32();
  const batches = new Map(
    TOPICS.map((name) => {
      const own = all.filter(({ topic }) => topic === name);
      const raw = (at: number) => {
        const { key, timestamp, value } = own[at] as CaseRecord;
        return { key: serde.serialize(key), value: serde.serialize(value), timestamp };
      };
      return [name, batchesOf(own.length, raw)];
    }),
  );
  return (stores, applicationId) => {
    const { late, rows } = passAll(chosen.pipeline(), (name) => batches.get(name) ?? [], stores, applicationId);
    if (late > 0 || (rows === 0 && chosen.long !== true && count >= MANY))
      throw new Error(`${late} late records, ${rows} rows: this is not what was to be measured`);
  };
}

function driven(chosen: OperatorCase, count: number): Pass {
  const all = recordsOf(chosen, count);
  const topics = new Map(TOPICS.map((name) => [name, topic(name, { key: int32(), value: int32() })]));
  return (stores, applicationId) => {
    const driver = new TestDriver(chosen.pipeline(), { applicationId, ...(stores === undefined ? {} : { stores }) });
    for (let from = 0; from < count; from += CHUNK) {
      driver.batch(() => {
        for (const [name, of] of topics) {
          const records = all.slice(from, from + CHUNK).filter(({ topic }) => topic === name);
          if (records.length > 0) driver.pipeAll(of, records);
        }
      });
    }
  };
}

/** Operators that keep state: records per second in memory and on LMDB. */
export async function run({
  match = '',
  quick,
  records = quick ? 10_000 : 400_000,
  runs = quick ? 1 : 3,
}: BenchOptions): Promise<Row[]> {
  const rates = async (name: string, where: Where): Promise<number[]> =>
    // Processes of their own take longer to start than so few records.
    quick ? caseRates(name, where, records, runs) : inChild(import.meta.url, 'caseRates', name, where, records, runs);
  const rows: Row[] = [];
  const found = new Map<string, readonly number[]>();
  for (const name of Object.keys(OPERATOR_CASES)) {
    for (const where of ['memory', 'LMDB'] as const) {
      const title = `${name}, ${where}`;
      if (!title.includes(match)) continue;
      found.set(title, await rates(name, where));
      rows.push(rowOf(title, 'records/s', found.get(title) ?? []));
    }
  }
  for (const where of ['memory', 'LMDB'] as const) {
    const few = found.get(`joinStream, 10,000 open rows, ${where}`);
    const many = found.get(`joinStream, 100,000 open rows, ${where}`);
    if (few === undefined || many === undefined || quick) continue;
    const ratios = many.map((rate, at) => (few[at] ?? Number.NaN) / rate);
    rows.push(
      rowOf(`joinStream, 100,000 open rows against 10,000, ${where}`, 'times as long', ratios, {
        higherIsBetter: false,
        target: 2,
      }),
    );
  }
  return rows;
}
