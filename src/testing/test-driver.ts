import { type Target, targetUse } from '../dataflow/target.ts';
import { FatalError } from '../errors.ts';
import { checkFields, encode, partitionOf } from '../log/encode.ts';
import { OutputBuffers } from '../log/outputs.ts';
import type { KnownTopic } from '../log/transport.ts';
import type { KeyValueDeclaration } from '../operators/key-value.ts';
import { type Duration, durationMs, idleMsOf } from '../options/duration.ts';
import { nearest } from '../options/nearest.ts';
import { checkNames, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../options/record-policy.ts';
import { graphOf, type PipelineGraph } from '../plan/graph.ts';
import type { Stage } from '../plan/stages.ts';
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
  /** Number of partitions of every topic (default: 1). */
  readonly partitions?: number;
  /** Wall-clock time at the start, in ms since the epoch (default: 0). */
  readonly startTime?: number;
  readonly applicationId?: string;
  readonly onRecordError?: RecordPolicy;
  /** Where stores are kept (default: memory), for example the LMDB backend of `millrace/embedded`. */
  readonly stores?: StoreBackend;
  /** As for an application: `advanceTime` then also advances stream time if nothing else does. */
  readonly idle?: Duration;
  /** How many entries a store keeps decoded in memory (default: 100,000); 0 forgets everything at each commit. */
  readonly cacheEntries?: number;
  /**
   * Whether every call ends with a commit (default: `true`). With `false` the test decides: outputs are visible after
   * `commit()`.
   */
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

/** An input record for a test. @public */
export interface TestRecord<K, V> {
  readonly key?: K | null;
  readonly value: V | null;
  /** Event time in ms since the epoch (default: the virtual wall clock). */
  readonly timestamp?: number;
  readonly headers?: Headers;
  /** The partition (default: determined by the key; 0 without a key). */
  readonly partition?: number;
}

/** A handle of a topic in a driver: {@link TestDriver.pipe} and {@link TestDriver.read} for this topic. @public */
export interface TestTopic<K, V> {
  pipe(record: TestRecord<K, V>): void;
  pipeAll(records: Iterable<TestRecord<K, V>>): void;
  read(): StreamRecord<K, V | null>[];
}

/**
 * Runs a pipeline synchronously with all its stages and partitions, on a log in memory and a virtual clock: when `pipe`
 * returns, everything that the record causes has happened.
 *
 * Every call ends with a commit, unless `autoCommit` is off, so that {@link restart} continues from there like a
 * restarted process. Records are processed in the order in which they are piped. All records of one {@link batch} or
 * `pipeAll` are written before the first is processed: tasks then take them by timestamp, as applications do with a
 * backlog, and those of one partition in order.
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
  #patterns: PatternTopics;
  readonly #options: TestDriverOptions;
  readonly #partitions: number;
  readonly #log: MemoryLog;
  readonly #readers = new Map<string, TopicReader>();
  /** Topics that the pipeline reads. */
  readonly #read = new Set<string>();
  /** Records to write to the log, in batches within its size limit. */
  readonly #input: OutputBuffers = new OutputBuffers((name) => outputTopic(this.#log, name));
  readonly #engine: DriverEngine;
  readonly #store: ReturnType<typeof storeViews>;
  readonly #letterTopics = new Set<string>();
  /** The topics of the pipeline, for what reads its stores. */
  #known: ReadonlyMap<string, KnownTopic> = new Map();
  #batching = 0;
  /** What is left to do of {@link end}: for these tasks, these stages. */
  #ending: { readonly openWindows: 'keep' | 'close'; running: object | undefined; stages: Stage[] } | undefined;

  /** @throws ConfigError for anything wrong with the pipeline, and `ERR_OPTION`. */
  constructor(pipeline: Pipeline, options: TestDriverOptions = {}) {
    checkNames('TestDriver', options, DRIVER_OPTIONS);
    checkWhole('TestDriver', 'partitions', options.partitions, 1);
    checkPolicy('TestDriver', options.onRecordError);
    if (options.idle !== undefined) idleMsOf('TestDriver', options.idle);
    this.#options = options;
    this.#patterns = patternsOf(pipeline, options);
    this.#topology = this.#patterns.of(this.#read, 'allowed');
    this.#partitions = options.partitions ?? 1;
    this.clock = new VirtualClock(options.startTime ?? 0);
    this.#log = new MemoryLog({ now: () => this.clock.now() });
    this.#createTopics();
    this.#store = storeViews(() => [this.#topology, { now: this.#known }, this.#engine.running]);
    this.#engine = new DriverEngine(this.#topology, this.#log, this.clock, options);
  }

  /** Creates the topics of the pipeline that are missing. */
  #createTopics(): void {
    const { onRecordError = 'fail' } = this.#options;
    const { globals, stages } = this.#topology;
    for (const { name } of [...stages.flatMap(({ inputs }) => inputs), ...globals]) this.#read.add(name);
    for (const name of topicsOf(this.#topology, onRecordError)) {
      this.#log.create(name, { partitions: this.#partitions, ifMissing: true });
    }
    for (const name of lettersOf(this.#topology, onRecordError)) this.#letterTopics.add(name);
    const all = this.#log.list().flatMap((name) => this.#log.known(name) ?? []);
    this.#known = new Map(all.map((each) => [each.name, each]));
  }

  /** The plan of the pipeline: stages, steps, topics and stores. */
  get topology(): PipelineGraph {
    return graphOf(this.#topology);
  }

  /** A handle for one topic. */
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
   * @throws MillraceError if a task fails; after that, only {@link restart} helps. FatalError `ERR_UNKNOWN_TOPIC` for a
   * topic that the pipeline does not read.
   */
  pipe<K, V>(topic: Target<K, V>, record: TestRecord<K, V>): void {
    this.#write(topic, [record]);
    this.#run();
  }

  /**
   * Writes records to a topic and then runs everything that they cause, with one commit at the end. Tasks take records
   * of several partitions by timestamp.
   */
  pipeAll<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    this.#write(topic, records);
    this.#run();
  }

  /**
   * Writes all records that are piped in `fill` before the first one is processed, as a backlog, which tasks take by
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
   * The records that were written to a topic since the last call, partition by partition.
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

  /**
   * Advances the virtual wall clock in one jump, and runs what its timers cause: a wall-clock timer fires once, however many
   * of its intervals have passed. Only records advance stream time, unless `idle` is set.
   */
  advanceTime(duration: Duration): void {
    this.clock.advance(durationMs(duration, 'duration'));
    this.#run();
  }

  /**
   * The highest timestamp that tasks have processed since they were built; `undefined` before the first record.
   *
   * @param topic - Counts only records of this input topic.
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
   * A handle to read a store, the same as that of a running application.
   *
   * @param store - Its name, or what `keyValue(…)` returned.
   * @throws ConfigError `ERR_UNKNOWN_STORE`
   */
  store<K, V>(store: KeyValueDeclaration<K, V>): StoreView<K, V>;
  store<K = unknown, V = unknown>(store: string): StoreView<K, V>;
  store<K, V>(store: KeyValueDeclaration<K, V> | string): StoreView<K, V> {
    return this.#store(store);
  }

  /** Every record so far that was too late for some of its windows. */
  get late(): readonly LateRecord<unknown, unknown>[] {
    return this.#engine.late;
  }

  /** Every dead letter so far, with the reason. */
  get deadLetters(): readonly TestDeadLetter[] {
    return [...this.#letterTopics].flatMap((topic) => deadLettersIn(this.#log, topic));
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

  /** Commits finished work and its effects in later stages, if `autoCommit` is off. */
  commit(): void {
    this.#engine.commit();
  }

  /**
   * Drops all tasks and builds new ones from the last commit. Counters restart at 0. Wall-clock timers of keys that were due
   * by then fire.
   *
   * @param how - `crash` loses uncommitted work, which is then redone; `stop` commits first.
   * @param pipeline - What runs from now on (default: the same), such as a new version of the pipeline, or one built anew
   * as in a new process. It continues from the offsets and stores of the one before.
   * @throws MillraceError as an application that starts with this state, for example if a store has another definition.
   */
  restart(how: 'crash' | 'stop' = 'crash', pipeline?: Pipeline): void {
    this.#ending = undefined;
    if (how === 'stop') this.#engine.commit();
    if (pipeline !== undefined) {
      this.#patterns = patternsOf(pipeline, this.#options);
      this.#topology = this.#patterns.of(this.#read, 'allowed');
      this.#createTopics();
    }
    this.#engine.restart(this.#topology);
  }

  /**
   * Revokes all tasks and assigns them again, as when other processes join or leave.
   *
   * @param how - `revoked` commits first; `lost` is like a process that was presumed dead: uncommitted work is redone.
   */
  rebalance(how: 'revoked' | 'lost' = 'revoked'): void {
    this.#engine.rebalance(how === 'lost');
  }

  /**
   * Makes the next call of a kind to the log fail. The tasks are then rebuilt from the last commit and continue, as in
   * an application.
   */
  failNext(what: DriverFault): void {
    this.#engine.failNext(what);
  }

  /**
   * Resolves when no asynchronous call is in progress and all their effects are done. A failed call with retries left
   * counts as in progress; its retry waits for `advanceTime`.
   */
  async settled(): Promise<void> {
    do await this.#engine.settle();
    while (this.#endFurther());
  }

  /**
   * Declares the input complete: closes open windows on request, completes the pipeline and commits. Records that are
   * piped after that stay in their topics until {@link restart}, as for the next run of an application. While asynchronous
   * calls are in progress it waits for them; `await settled()` after it then does the rest.
   */
  end(openWindows: 'keep' | 'close' = 'keep'): void {
    this.#engine.commit();
    this.#ending = { openWindows, running: undefined, stages: [] };
    this.#endFurther();
  }

  /** Continues {@link end} until there is a call to wait for. @returns Whether a stage has ended. */
  #endFurther(): boolean {
    let ended = false;
    for (;;) {
      const ending = this.#ending;
      if (ending === undefined) return ended;
      const { running } = this.#engine;
      // Tasks that were rebuilt on the way, after a fault, do not know about the end yet. A stage ends after the stages
      // that feed it, so that their final output is still processed.
      if (ending.running !== running) {
        ending.stages = [...byFlow(this.#topology.stages)];
        ending.running = running;
      }
      const { tasks } = this.#engine;
      if (tasks.some((task) => task.pendingAsync() > 0)) return ended;
      const stage = ending.stages.shift();
      if (stage === undefined) {
        this.#ending = undefined;
        return ended;
      }
      for (const task of tasks.filter((each) => each.stage === stage)) {
        task.end(ending.openWindows);
        task.complete();
      }
      this.#engine.commit();
      ended = true;
    }
  }

  #run(): void {
    if (this.#batching === 0) this.#engine.run();
  }

  #write<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    const { name } = targetUse('pipe', topic);
    if (!this.#read.has(name) && this.#patterns.takes(name)) this.#find(name);
    if (!this.#read.has(name)) throw notOfPipeline('does not read', name, [...this.#read]);
    try {
      this.#encode(name, topic, records);
    } catch (error) {
      // Nothing of a call that fails is written, also not by the next one.
      this.#input.recycle(this.#input.take());
      throw error;
    }
    const batches = this.#input.take();
    this.#log.append(
      batches.map(({ partition, records, topic: to }) => this.#log.prepare({ topic: to, partition }, records)),
    );
    this.#input.recycle(batches);
  }

  #encode<K, V>(name: string, topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    const { key: keySerde, value: valueSerde } = targetUse('pipe', topic);
    const output = this.#input.topic(name);
    for (const record of records) {
      checkFields(name, record);
      const { headers = NO_HEADERS, timestamp = this.clock.now() } = record;
      // A driver may write records that the topic's serdes refuse to read, such as one without a key, to test such
      // input.
      const given = record.key ?? null;
      const key = keySerde === undefined || given === null ? null : encode(keySerde, given, name, 'key');
      const value = encode(valueSerde, record.value, name, 'value');
      output.append(record.partition ?? this.#partitionOf(key), timestamp, key, value, headers);
    }
  }

  /** A topic that matches a pattern exists from its first record on. */
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

/** Plans a pipeline, and knows the topics of its patterns. @throws ConfigError */
function patternsOf(pipeline: Pipeline, options: TestDriverOptions): PatternTopics {
  const { applicationId = 'test', onRecordError = 'fail' } = options;
  const planned = plan(pipeline, applicationId);
  checkDeadLetters(planned, onRecordError);
  return new PatternTopics(planned, applicationId, onRecordError);
}

function notOfPipeline(what: string, topic: string, known: readonly string[]): FatalError {
  const near = nearest(topic, known);
  return new FatalError('ERR_UNKNOWN_TOPIC', `the pipeline ${what} topic ${topic}`, {
    topic,
    hint: `${near === undefined ? '' : `did you mean ${near}? `}its topics are ${known.join(', ')}`,
  });
}
