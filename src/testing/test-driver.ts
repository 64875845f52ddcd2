import { type Target, targetUse } from '../dataflow/target.ts';
import { FatalError } from '../errors.ts';
import { checkFields, encode, partitionOf } from '../log/encode.ts';
import { OutputBuffers } from '../log/outputs.ts';
import type { KeyValueDeclaration } from '../operators/key-value.ts';
import { type Duration, durationMs, idleMsOf } from '../options/duration.ts';
import { nearest } from '../options/nearest.ts';
import { checkNames, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../options/record-policy.ts';
import { graphOf, type PipelineGraph } from '../plan/graph.ts';
import { type Pipeline, plan, type Topology } from '../plan/topology.ts';
import { type Headers, type LateRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { byFlow } from '../runtime/app/bounded-run.ts';
import { checkDeadLetters } from '../runtime/app/check-options.ts';
import type { GlobalTableSnapshot } from '../runtime/app/global-rows.ts';
import { PatternTopics } from '../runtime/app/pattern-topics.ts';
import { snapshotTask, type TaskSnapshot } from '../runtime/app/snapshot.ts';
import type { StoreView } from '../runtime/app/store-view.ts';
import { storeViews } from '../runtime/app/store-views.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import { MemoryLog } from '../transports/memory/index.ts';
import { deadLettersIn, type TestDeadLetter } from './dead-letters.ts';
import { DriverEngine, lettersOf, outputTopic, topicsOf } from './driver-engine.ts';
import type { DriverFault } from './failing-log.ts';
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
  /** As that of an application: `advanceTime` then also moves stream time, where nothing else does. */
  readonly idle?: Duration;
  /** Entries that a store keeps decoded in memory (100,000); 0 forgets everything at each commit. */
  readonly cacheEntries?: number;
  /** Every call ends with a commit (`true`). With `false` the test says when: outputs are there after `commit()`. */
  readonly autoCommit?: boolean;
}

const DRIVER_OPTIONS: OptionNames<TestDriverOptions> = {
  partitions: true,
  startTime: true,
  applicationId: true,
  onRecordError: true,
  stores: true,
  idle: true,
  cacheEntries: true,
  autoCommit: true,
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

/** A topic in a driver: what {@link TestDriver.pipe} and {@link TestDriver.read} do, for this one. @public */
export interface TestTopic<K, V> {
  pipe(record: TestRecord<K, V>): void;
  pipeAll(records: Iterable<TestRecord<K, V>>): void;
  read(): StreamRecord<K, V | null>[];
}

/**
 * Runs a pipeline synchronously, all its stages and partitions, on a log in memory and a virtual clock: what a record
 * causes has happened when `pipe` returns.
 *
 * Every call ends with a commit, unless `autoCommit` is off, so that {@link restart} goes on from there as a restarted
 * process would. Records are processed in the order in which they are piped. Those of one {@link batch} or `pipeAll` are all
 * there before the first is processed: then tasks take them by timestamp, as applications do with a backlog, and those
 * of one partition in their order.
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
  #topology: Topology;
  readonly #patterns: PatternTopics;
  readonly #partitions: number;
  readonly #log: MemoryLog;
  readonly #readers = new Map<string, TopicReader>();
  /** Topics that the pipeline reads. */
  readonly #read = new Set<string>();
  /** Records on their way into the log, in batches of the size that it takes. */
  readonly #input: OutputBuffers = new OutputBuffers((name) => outputTopic(this.#log, name));
  readonly #engine: DriverEngine;
  readonly #store: ReturnType<typeof storeViews>;
  readonly #letterTopics: readonly string[];
  #batching = 0;

  /** @throws ConfigError for everything that is wrong with the pipeline, and `ERR_OPTION`. */
  constructor(pipeline: Pipeline, options: TestDriverOptions = {}) {
    checkNames('TestDriver', options, DRIVER_OPTIONS);
    checkWhole('TestDriver', 'partitions', options.partitions, 1);
    checkPolicy('TestDriver', options.onRecordError);
    if (options.idle !== undefined) idleMsOf('TestDriver', options.idle);
    const { applicationId = 'test', onRecordError = 'fail' } = options;
    const planned = plan(pipeline, applicationId);
    checkDeadLetters(planned, onRecordError);
    this.#patterns = new PatternTopics(planned, applicationId, onRecordError);
    this.#topology = this.#patterns.of(new Set(), 'allowed');
    this.#partitions = options.partitions ?? 1;
    this.clock = new VirtualClock(options.startTime ?? 0);
    this.#log = new MemoryLog({ now: () => this.clock.now() });
    const { globals, stages } = this.#topology;
    for (const { name } of [...stages.flatMap(({ inputs }) => inputs), ...globals]) this.#read.add(name);
    for (const name of topicsOf(this.#topology, onRecordError)) {
      this.#log.create(name, { partitions: this.#partitions, ifMissing: true });
    }
    this.#letterTopics = lettersOf(this.#topology, options.onRecordError ?? 'fail');
    const topics = new Map(
      this.#log
        .list()
        .flatMap((name) => this.#log.known(name) ?? [])
        .map((each) => [each.name, each]),
    );
    this.#store = storeViews(() => [this.#topology, { now: topics }, this.#engine.running]);
    this.#engine = new DriverEngine(this.#topology, this.#log, this.clock, options);
  }

  /** The pipeline as it was planned: stages, steps, topics and stores. */
  get topology(): PipelineGraph {
    return graphOf(this.#topology);
  }

  /** A topic as a handle of its own. */
  topic<K, V>(topic: Target<K, V>): TestTopic<K, V> {
    return {
      pipe: (record) => this.pipe(topic, record),
      pipeAll: (records) => this.pipeAll(topic, records),
      read: () => this.read(topic),
    };
  }

  /**
   * Writes a record to a topic and runs everything that it causes.
   *
   * @throws MillraceError when a task fails; after that only {@link restart} helps. FatalError `ERR_UNKNOWN_TOPIC` for a
   * topic that the pipeline does not read.
   */
  pipe<K, V>(topic: Target<K, V>, record: TestRecord<K, V>): void {
    this.#write(topic, [record]);
    this.#run();
  }

  /**
   * Writes records to a topic and then runs everything that they cause, with one commit at the end. Tasks take them by
   * timestamp where they come from several partitions.
   */
  pipeAll<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    this.#write(topic, records);
    this.#run();
  }

  /**
   * What is piped within is all written before the first record of it is processed: as a backlog, which tasks take by
   * timestamp.
   */
  batch(fill: () => void): void {
    this.#batching += 1;
    try {
      fill();
    } finally {
      this.#batching -= 1;
    }
    this.#run();
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
  advanceTime(duration: Duration): void {
    this.clock.advance(durationMs(duration, 'duration'));
    this.#run();
  }

  /**
   * The highest timestamp that tasks have processed since they were built; `undefined` before the first record.
   *
   * @param topic - Only as input of this topic.
   */
  streamTime(topic?: { readonly name: string }): number | undefined {
    const inputs = this.#engine.tasks.flatMap((task) => task.inputs);
    const times = inputs.flatMap(({ streamTime, use }) =>
      topic === undefined || use.name === topic.name ? streamTime : [],
    );
    const highest = Math.max(-1, ...times);
    return highest < 0 ? undefined : highest;
  }

  /**
   * A store, to look into: the same handle as that of a running application.
   *
   * @param store - Its name, or what `keyValue(…)` declared.
   * @throws ConfigError `ERR_UNKNOWN_STORE`
   */
  store<K, V>(store: KeyValueDeclaration<K, V>): StoreView<K, V>;
  store<K = unknown, V = unknown>(store: string): StoreView<K, V>;
  store<K, V>(store: KeyValueDeclaration<K, V> | string): StoreView<K, V> {
    return this.#store(store);
  }

  /** Every record so far that came too late for some of its windows. */
  get late(): readonly LateRecord<unknown, unknown>[] {
    return this.#engine.late;
  }

  /** Every record so far that a policy has put aside, with why. */
  get deadLetters(): readonly TestDeadLetter[] {
    return this.#letterTopics.flatMap((topic) => deadLettersIn(this.#log, topic));
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

  /** Commits what is done, where `autoCommit` is off, and what follows from it in later stages. */
  commit(): void {
    this.#engine.commit();
  }

  /**
   * Drops all tasks and builds new ones from the last commit. Counters start at 0 again.
   *
   * @param how - As after a crash, which loses what is not committed, and it is done again; or after a `stop`, which commits
   * first.
   */
  restart(how: 'crash' | 'stop' = 'crash'): void {
    if (how === 'stop') this.#engine.commit();
    this.#engine.restart();
  }

  /**
   * Takes all tasks away and gives them back, as when other processes come or go.
   *
   * @param how - The tasks are `revoked`, which commits first, or `lost`, as those of a process that was thought dead: what
   * is not committed is done again.
   */
  rebalance(how: 'revoked' | 'lost' = 'revoked'): void {
    this.#engine.rebalance(how === 'lost');
  }

  /**
   * Lets the next call to the log of a kind fail. The tasks are then built again from the last commit, and go on, as in an
   * application.
   */
  failNext(what: DriverFault): void {
    this.#engine.failNext(what);
  }

  /**
   * Resolves when no asynchronous call is under way, with everything that they caused done. A call that failed and is to be
   * repeated is under way; its repetition waits for `advanceTime`.
   */
  async settled(): Promise<void> {
    await this.#engine.settle();
  }

  /** Declares the input complete: closes open windows if wanted, completes the pipeline and commits. */
  end(openWindows: 'keep' | 'close' = 'keep'): void {
    this.#engine.commit();
    // Tasks that were built again on the way, after a fault, have not been told.
    while (!this.#endStages(openWindows));
  }

  /** @returns Whether the tasks are those that it began with. */
  #endStages(openWindows: 'keep' | 'close'): boolean {
    const { running } = this.#engine;
    // A stage ends when those which feed it have ended, so that what they emit at their end is still processed.
    for (const stage of byFlow(this.#topology.stages)) {
      for (const task of this.#engine.tasks.filter((each) => each.stage === stage)) {
        task.end(openWindows);
        task.complete();
      }
      this.#engine.commit();
      if (this.#engine.running !== running) return false;
    }
    return true;
  }

  #run(): void {
    if (this.#batching === 0) this.#engine.run();
  }

  #write<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    const { key: keySerde, name, value: valueSerde } = targetUse('pipe', topic);
    if (!this.#read.has(name) && this.#patterns.takes(name)) this.#find(name);
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

  /** A topic that matches a pattern is there from its first record on. */
  #find(name: string): void {
    this.#log.create(name, { partitions: this.#partitions });
    this.#read.add(name);
    this.#topology = this.#patterns.of(this.#read, 'allowed');
    this.#engine.use(this.#topology);
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
