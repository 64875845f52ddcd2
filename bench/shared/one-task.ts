import { type Observable, tap } from 'rxjs';
import type * as Clock from '../../src/dataflow/clock.ts';
import type { FetchedBatch } from '../../src/log/transport.ts';
import type * as Topology from '../../src/plan/topology.ts';
import type * as BatchBuilder from '../../src/protocol/batch-builder.ts';
import type * as BatchDecoder from '../../src/protocol/batch-decoder.ts';
import type * as TaskModule from '../../src/runtime/task/task.ts';
import type * as TaskTurn from '../../src/runtime/task/task-turn.ts';
import type { StoreBackend } from '../../src/state/byte-store.ts';
import type * as MemoryBackend from '../../src/state/memory-backend.ts';
import type * as FetchedModule from '../../src/transports/local/fetched-rows.ts';
import { built } from './built.ts';

const { decodeBatch } = await built<typeof BatchDecoder>('protocol/batch-decoder.js');
const { RecordBatchBuilder } = await built<typeof BatchBuilder>('protocol/batch-builder.js');
const { Task } = await built<typeof TaskModule>('runtime/task/task.js');
const { takeTurn } = await built<typeof TaskTurn>('runtime/task/task-turn.js');
const { plan } = await built<typeof Topology>('plan/topology.js');
const { memoryStores } = await built<typeof MemoryBackend>('state/memory-backend.js');
const { systemClock } = await built<typeof Clock>('dataflow/clock.js');
const { FetchedRows } = await built<typeof FetchedModule>('transports/local/fetched-rows.js');

/** What goes into a batch, as bytes or text. */
export interface RawRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string;
  readonly timestamp: number;
}

const BATCH_RECORDS = 2_500;
const TURN_RECORDS = 512;
/** As in an application that sets nothing. */
const COMMIT_MS = 100;

/** Records as a fetcher would deliver them: decoded into columns, not into objects. */
export function batchesOf(count: number, record: (at: number) => RawRecord): FetchedBatch[] {
  const batches: FetchedBatch[] = [];
  const builder = new RecordBatchBuilder();
  for (let at = 0; at < count; ) {
    const base = at;
    builder.reset();
    for (const end = Math.min(count, at + BATCH_RECORDS); at < end; at += 1) {
      const { key, timestamp, value } = record(at);
      builder.append(timestamp, key, value, []);
    }
    batches.push(new FetchedRows(decodeBatch(builder.finish(), 0), base, at, count, 0));
  }
  return batches;
}

/**
 * Runs the one stage of a pipeline over batches, in turns and with commits as an application does, but without a log: no
 * event loop, no input and no output.
 */
export function pass(pipeline: Observable<unknown>, batches: readonly FetchedBatch[]): void {
  runTask(pipeline, () => batches, memoryStores(), 'bench');
}

/**
 * As {@link pass}, for a stage that may read several topics, with its stores in memory or elsewhere.
 *
 * @param applicationId - Another one in each run that uses the same stores.
 * @returns The late records and the rows that came out, so that nobody measures work that was not done.
 */
export function passAll(
  pipeline: Observable<unknown>,
  batchesOf: (topic: string) => readonly FetchedBatch[],
  stores: StoreBackend = memoryStores(),
  applicationId = 'bench',
): { readonly late: number; readonly rows: number } {
  let rows = 0;
  const counted = pipeline.pipe(tap(() => void (rows += 1)));
  return { late: runTask(counted, batchesOf, stores, applicationId).counters.late, rows };
}

function runTask(
  pipeline: Observable<unknown>,
  batchesOf: (topic: string) => readonly FetchedBatch[],
  stores: StoreBackend,
  applicationId: string,
): TaskModule.Task {
  const topology = plan(pipeline);
  const [stage] = topology.stages;
  if (stage === undefined || topology.stages.length !== 1) throw new Error('the pipeline must have one stage');
  const left = new Map(stage.inputs.map(({ name }) => [name, batchesOf(name).values()]));
  const task = new Task(stage, 0, new Map(stage.inputs.map(({ name }) => [name, 0])), {
    applicationId,
    topology,
    stores,
    clock: systemClock,
    cacheEntries: 100_000,
    maxFutureMs: Number.POSITIVE_INFINITY,
    onRecordError: 'fail',
    globalRows: () => ({ get: () => undefined }),
    outputTopic: () => ({ partitions: 1, maxMessageBytes: 2 ** 20, compression: 'none' }),
    inputPartitions: () => 4,
    assign: () => undefined,
    poll: (topic) => left.get(topic)?.next().value,
    endOffset: (topic) => batchesOf(topic).at(-1)?.nextOffset ?? 0,
    wake: () => undefined,
  });
  let committed = performance.now();
  for (let done = -1; done !== 0; ) {
    done = takeTurn(task, TURN_RECORDS);
    if (done > 0 && performance.now() - committed < COMMIT_MS) continue;
    const { outputs, state } = task.takeProgress();
    stores.apply(state);
    task.recycle(outputs);
    task.committed();
    committed = performance.now();
  }
  if (task.failure !== undefined) throw task.failure;
  task.close();
  return task;
}
