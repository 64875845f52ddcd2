import { type Target, targetUse } from '../dataflow/target.ts';
import { FatalError } from '../errors.ts';
import { checkFields, encode, partitionOf } from '../log/encode.ts';
import { OutputBuffers } from '../log/outputs.ts';
import { type Duration, durationMs, idleMsOf } from '../options/duration.ts';
import { nearest } from '../options/nearest.ts';
import { checkNames, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../options/record-policy.ts';
import { type Pipeline, plan, type Topology } from '../plan/topology.ts';
import { type Headers, type LateRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { byFlow } from '../runtime/app/bounded-run.ts';
import { checkDeadLetters } from '../runtime/app/check-options.ts';
import type { GlobalTableSnapshot } from '../runtime/app/global-rows.ts';
import { snapshotTask, type TaskSnapshot } from '../runtime/app/snapshot.ts';
import { unknownStore } from '../runtime/app/unknown-store.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import type { StoreEntry } from '../state/state-holder.ts';
import { MemoryLog } from '../transports/memory/index.ts';
import { DriverEngine, outputTopic, topicsOf } from './driver-engine.ts';
import { TopicReader } from './topic-reader.ts';
import { VirtualClock } from './virtual-clock.ts';

/** @public */
export interface TestDriverOptions {
  /** Partitions of every topic (1). */
  readonly partitions?: number;
  /** Wall-clock time at the start, in ms since the epoch (0). */
  readonly startTime?: number;
  readonly applicationId?: string;
  readonly onRecordError?: RecordPolicy;
  /** Where stores live: memory, or for example the LMDB of `millrace/embedded`. */
  readonly stores?: StoreBackend;
  /** As that of an application: `advance` then also moves stream time, where nothing else does. */
  readonly idle?: Duration;
  /** Entries that a store keeps decoded in memory (100,000); 0 forgets everything at each commit. */
  readonly cacheEntries?: number;
}

const DRIVER_OPTIONS: OptionNames<TestDriverOptions> = {
  partitions: true,
  startTime: true,
  applicationId: true,
  onRecordError: true,
  stores: true,
  idle: true,
  cacheEntries: true,
};

/** A record to feed a pipeline with. @public */
export interface TestRecord<K, V> {
  readonly key?: K | null;
  readonly value: V | null;
  /** Event time in ms since the epoch; the virtual wall clock when left out. */
  readonly timestamp?: number;
  readonly headers?: Headers;
  /** The key's partition when left out; 0 for records without a key. */
  readonly partition?: number;
}

/**
 * Runs a pipeline synchronously, all its stages and partitions, on a log in memory and a virtual clock: what a record
 * causes has happened when `pipe` returns.
 *
 * Every call ends with a commit, so that {@link restart} goes on from there as a restarted process would.
 *
 * @example
 * ```ts
 * import { agg, int32, string, to, topic, tumbling, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const numbers = topic('numbers', { key: string(), value: int32() });
 * const counts = topic('counts', { key: string(), value: int32() });
 * const driver = new TestDriver(
 *   numbers.pipe(windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'counts' }), to(counts)),
 * );
 * driver.pipe(numbers, { key: 'a', value: 1, timestamp: 3_000 });
 * driver.pipe(numbers, { key: 'a', value: 2, timestamp: 4_000 });
 * console.log(driver.read(counts).length); // => 0
 * driver.pipe(numbers, { key: 'b', value: 3, timestamp: 10_000 });
 * const [row] = driver.read(counts);
 * console.log(row?.key, row?.value); // => a 2
 * ```
 * @public
 */
export class TestDriver {
  readonly clock: VirtualClock;
  readonly #topology: Topology;
  readonly #partitions: number;
  readonly #log: MemoryLog;
  readonly #readers = new Map<string, TopicReader>();
  /** Topics that the pipeline reads. */
  readonly #read = new Set<string>();
  /** Records on their way into the log, in batches of the size that it takes. */
  readonly #input: OutputBuffers = new OutputBuffers((name) => outputTopic(this.#log, name));
  readonly #engine: DriverEngine;

  /** @throws ConfigError for everything that is wrong with the pipeline, and `ERR_OPTION`. */
  constructor(pipeline: Pipeline, options: TestDriverOptions = {}) {
    checkNames('TestDriver', options, DRIVER_OPTIONS);
    checkWhole('TestDriver', 'partitions', options.partitions, 1);
    checkPolicy('TestDriver', options.onRecordError);
    if (options.idle !== undefined) idleMsOf('TestDriver', options.idle);
    this.#topology = plan(pipeline, options.applicationId ?? 'test');
    checkDeadLetters(this.#topology, options.onRecordError ?? 'fail');
    this.#partitions = options.partitions ?? 1;
    this.clock = new VirtualClock(options.startTime ?? 0);
    this.#log = new MemoryLog({ now: () => this.clock.now() });
    const { globals, stages } = this.#topology;
    for (const { name } of [...stages.flatMap(({ inputs }) => inputs), ...globals]) this.#read.add(name);
    for (const name of topicsOf(this.#topology, options.onRecordError ?? 'fail')) {
      this.#log.create(name, { partitions: this.#partitions, ifMissing: true });
    }
    this.#engine = new DriverEngine(this.#topology, this.#log, this.clock, options);
  }

  /**
   * Writes a record to a topic and runs everything that it causes.
   *
   * @throws MillraceError when a task fails; after that only {@link restart} helps. FatalError `ERR_UNKNOWN_TOPIC` for a
   * topic that the pipeline does not read.
   */
  pipe<K, V>(topic: Target<K, V>, record: TestRecord<K, V>): void {
    this.#write(topic, [record]);
    this.#engine.run();
  }

  /** Writes records to a topic and then runs everything that they cause, with one commit at the end. */
  pipeAll<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    this.#write(topic, records);
    this.#engine.run();
  }

  /**
   * The records of a topic that were written since the last call, partition by partition.
   *
   * @throws FatalError `ERR_UNKNOWN_TOPIC` for a topic that the pipeline neither writes nor reads.
   */
  read<K, V>(topic: Target<K, V>): StreamRecord<K, V | null>[] {
    if (this.#log.describe(topic.name) === undefined)
      throw notOfPipeline('neither writes nor reads', topic.name, this.#log.list());
    const reader = this.#readers.get(topic.name) ?? new TopicReader(this.#log, topic.name);
    this.#readers.set(topic.name, reader);
    return reader.read(topic);
  }

  /** Moves the virtual wall clock, and runs what its timers cause. Stream time moves by records only, unless there is `idle`. */
  advance(duration: Duration): void {
    this.clock.advance(durationMs(duration, 'duration'));
    this.#engine.run();
  }

  /** The entries of a store over all partitions. @throws ConfigError `ERR_UNKNOWN_STORE` */
  store(name: string): StoreEntry[] {
    const holders = this.#engine.tasks.flatMap((task) => task.stores.filter((store) => store.name === name));
    if (holders.length === 0) throw unknownStore(name, this.#topology);
    return holders.flatMap((holder) => [...holder.entries()]);
  }

  /** Every record so far that came too late for some of its windows. */
  get lateRecords(): readonly LateRecord<unknown, unknown>[] {
    return this.#engine.late;
  }

  /** The tasks with their counters, positions and stores. */
  tasks(): TaskSnapshot[] {
    return this.#engine.tasks.map((task) =>
      snapshotTask(task, (topic, partition) => this.#log.endOffset(topic, partition)),
    );
  }

  /** The global tables, over all partitions. */
  globalTables(): GlobalTableSnapshot[] {
    return this.#engine.globalTables();
  }

  /** Drops all tasks and builds new ones from the last commit, as after a crash. Counters start at 0 again. */
  restart(): void {
    this.#engine.restart();
  }

  /** Resolves when no asynchronous call is under way, with everything that they caused done. */
  async settle(): Promise<void> {
    await this.#engine.settle();
  }

  /** Declares the input complete: closes open windows if wanted, and completes the pipeline. */
  end(openWindows: 'keep' | 'close' = 'keep'): void {
    // A stage ends when those which feed it have ended, so that what they emit at their end is still processed.
    for (const stage of byFlow(this.#topology.stages)) {
      for (const task of this.#engine.tasks.filter((each) => each.stage === stage)) {
        task.end(openWindows);
        task.complete();
      }
      this.#engine.run();
    }
  }

  #write<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    const { key: keySerde, name, value: valueSerde } = targetUse('pipe', topic);
    if (!this.#read.has(name)) throw notOfPipeline('does not read', name, [...this.#read]);
    const output = this.#input.topic(name);
    for (const record of records) {
      checkFields(name, record);
      const { headers = NO_HEADERS, timestamp = this.clock.now() } = record;
      // A driver may write what the topic's serdes would refuse to read: a missing key is how such input is tested.
      const given = record.key ?? null;
      const key = keySerde === undefined || given === null ? null : encode(keySerde, given, name, 'key');
      const value = encode(valueSerde, record.value, name, 'value');
      output.append(record.partition ?? this.#partitionOf(key), timestamp, key, value, headers);
    }
    const batches = this.#input.take();
    this.#log.append(
      batches.map(({ partition, records, topic: to }) => this.#log.prepare({ topic: to, partition }, records)),
    );
    this.#input.recycle(batches);
  }

  #partitionOf(key: Uint8Array | string | null): number {
    if (key === null || this.#partitions === 1) return 0;
    return partitionOf(key, this.#partitions);
  }
}

function notOfPipeline(what: string, topic: string, known: readonly string[]): FatalError {
  const near = nearest(topic, known);
  return new FatalError('ERR_UNKNOWN_TOPIC', `the pipeline ${what} topic ${topic}`, {
    topic,
    hint: `${near === undefined ? '' : `did you mean ${near}? `}its topics are ${known.join(', ')}`,
  });
}
