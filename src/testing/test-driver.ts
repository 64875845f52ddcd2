import { type Target, targetUse } from '../dataflow/target.ts';
import type { InputOrigin } from '../dataflow/task-context.ts';
import { ConfigError, FatalError } from '../errors.ts';
import { deadLetterOf, type LetterLimits, limitsOf } from '../log/dead-letter.ts';
import { rawRecord } from '../log/decode.ts';
import { checkFields, encode, partitionOf } from '../log/encode.ts';
import { OutputBuffers, type OutputTopic } from '../log/outputs.ts';
import { asRecordError, isDeadLetter } from '../log/record-failures.ts';
import type { OutgoingBatch, TopicDescription } from '../log/transport.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { nearest } from '../options/nearest.ts';
import { checkNames, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../options/record-policy.ts';
import { type Pipeline, plan, type Topology } from '../plan/topology.ts';
import { type Headers, type LateRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { byFlow } from '../runtime/app/bounded-run.ts';
import { checkDeadLetters } from '../runtime/app/check-options.ts';
import { GlobalRowMap, type GlobalTableSnapshot } from '../runtime/app/global-rows.ts';
import { snapshotTask, type TaskSnapshot } from '../runtime/app/snapshot.ts';
import { Task } from '../runtime/task/task.ts';
import type { TaskHost } from '../runtime/task/task-host.ts';
import { takeTurn } from '../runtime/task/task-turn.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import { checkedStores, UnwritableState } from '../state/checked-stores.ts';
import { memoryStores } from '../state/memory-backend.ts';
import type { StoreEntry } from '../state/state-holder.ts';
import { MemoryLog, type PreparedBatch } from '../transports/memory/index.ts';
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
  /** Entries that a store keeps decoded in memory (100,000); 0 forgets everything at each commit. */
  readonly cacheEntries?: number;
}

const DRIVER_OPTIONS: OptionNames<TestDriverOptions> = {
  partitions: true,
  startTime: true,
  applicationId: true,
  onRecordError: true,
  stores: true,
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
  readonly #options: TestDriverOptions;
  readonly #applicationId: string;
  readonly #partitions: number;
  readonly #log: MemoryLog;
  readonly #stores: StoreBackend;
  readonly #readers = new Map<string, TopicReader>();
  readonly #fetched = new Map<string, number>();
  /** Topics that the pipeline reads. */
  readonly #read = new Set<string>();
  readonly #late: LateRecord<unknown, unknown>[] = [];
  readonly #globals = new Map<string, GlobalRowMap>();
  /** Records on their way into the log, in batches of the size that it takes. */
  readonly #input: OutputBuffers = new OutputBuffers((name) => this.#outputTopic(name));
  /** Stores with entries that a commit could not write: their changes are checked when they are made. */
  readonly #checked = new Set<string>();
  #tasks: Task[] = [];
  /** How many of the late records are committed. */
  #lateCommitted = 0;
  #woken: (() => void) | undefined;

  /** @throws ConfigError for everything that is wrong with the pipeline, and `ERR_OPTION`. */
  constructor(pipeline: Pipeline, options: TestDriverOptions = {}) {
    checkNames('TestDriver', options, DRIVER_OPTIONS);
    checkWhole('TestDriver', 'partitions', options.partitions, 1);
    checkPolicy('TestDriver', options.onRecordError);
    this.#topology = plan(pipeline);
    checkDeadLetters(this.#topology, options.onRecordError ?? 'fail');
    this.#options = options;
    this.#applicationId = options.applicationId ?? 'test';
    this.#partitions = options.partitions ?? 1;
    this.clock = new VirtualClock(options.startTime ?? 0);
    this.#log = new MemoryLog({ now: () => this.clock.now() });
    this.#stores = options.stores ?? memoryStores();
    for (const stage of this.#topology.stages) {
      for (const { name } of [...stage.inputs, ...stage.outputs]) this.#create(name);
      for (const { name } of stage.inputs) this.#read.add(name);
      const policies = [options.onRecordError ?? 'fail', ...stage.inputs.map((use) => use.onRecordError ?? 'fail')];
      for (const policy of policies) if (isDeadLetter(policy)) this.#create(policy.deadLetter);
    }
    for (const use of this.#topology.globals) {
      this.#create(use.name);
      this.#read.add(use.name);
      this.#globals.set(use.name, new GlobalRowMap(use));
      const policy = use.onRecordError ?? options.onRecordError ?? 'fail';
      if (isDeadLetter(policy)) this.#create(policy.deadLetter);
    }
    this.#build();
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

  /** Writes records to a topic and then runs everything that they cause, with one commit at the end. */
  pipeAll<K, V>(topic: Target<K, V>, records: Iterable<TestRecord<K, V>>): void {
    this.#write(topic, records);
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

  /** Moves the virtual wall clock, and runs what its timers cause. Stream time moves by records only. */
  advance(duration: Duration): void {
    this.clock.advance(durationMs(duration, 'duration'));
    this.#run();
  }

  /** The entries of a store over all partitions. @throws ConfigError `ERR_UNKNOWN_STORE` */
  store(name: string): StoreEntry[] {
    const holders = this.#tasks.flatMap((task) => task.stores.filter((store) => store.name === name));
    if (holders.length === 0) {
      const names = this.#topology.stages.flatMap((stage) => stage.stores.map((store) => store.name));
      throw new ConfigError('ERR_UNKNOWN_STORE', `the pipeline has no store ${name}`, {
        hint: names.length === 0 ? 'it has no stores' : `its stores are ${names.join(', ')}`,
      });
    }
    return holders.flatMap((holder) => [...holder.entries()]);
  }

  /** Every record so far that came too late for some of its windows. */
  get lateRecords(): readonly LateRecord<unknown, unknown>[] {
    return this.#late;
  }

  /** The tasks with their counters, positions and stores. */
  tasks(): TaskSnapshot[] {
    return this.#tasks.map((task) => snapshotTask(task, (topic, partition) => this.#log.endOffset(topic, partition)));
  }

  /** The global tables, over all partitions. */
  globalTables(): GlobalTableSnapshot[] {
    return Array.from(this.#globals.values(), (rows) => rows.snapshot());
  }

  /** Drops all tasks and builds new ones from the last commit, as after a crash. Counters start at 0 again. */
  restart(): void {
    for (const task of this.#tasks) task.close();
    this.#build();
    this.#run();
  }

  /** Resolves when no asynchronous call is under way, with everything that they caused done. */
  async settle(): Promise<void> {
    this.#run();
    while (this.#tasks.some((task) => task.pendingAsync() > 0)) {
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
      this.#run();
    }
  }

  /** Declares the input complete: closes open windows if wanted, and completes the pipeline. */
  end(openWindows: 'keep' | 'close' = 'keep'): void {
    // A stage ends when those which feed it have ended, so that what they emit at their end is still processed.
    for (const stage of byFlow(this.#topology.stages)) {
      for (const task of this.#tasks.filter((each) => each.stage === stage)) {
        task.end(openWindows);
        task.complete();
      }
      this.#run();
    }
  }

  #create(name: string): void {
    this.#log.create(name, { partitions: this.#partitions, ifMissing: true });
  }

  #build(): void {
    this.#tasks = [];
    const host = this.#host();
    for (const stage of this.#topology.stages) {
      for (let partition = 0; partition < this.#partitions; partition += 1) {
        const inputs = stage.inputs.map(({ name }) => ({ topic: name, partition }));
        const positions = new Map(inputs.map(({ topic }) => [topic, 0]));
        for (const { topic, offset } of this.#log.committed(this.#applicationId, inputs)) positions.set(topic, offset);
        for (const [topic, offset] of positions) this.#fetched.set(`${topic}/${partition}`, offset);
        this.#tasks.push(new Task(stage, partition, positions, host));
      }
    }
  }

  #host(): TaskHost {
    return {
      applicationId: this.#applicationId,
      topology: this.#topology,
      stores: checkedStores(this.#stores, (store) => (this.#checked.has(store) ? () => undefined : undefined)),
      clock: this.clock,
      cacheEntries: this.#options.cacheEntries ?? 100_000,
      onRecordError: this.#options.onRecordError ?? 'fail',
      maxFutureMs: Number.POSITIVE_INFINITY,
      globalRows: (topic) => this.#globals.get(topic) as GlobalRowMap,
      outputTopic: (name) => this.#outputTopic(name),
      inputPartitions: () => this.#partitions,
      assign: (topic, partition, offset) => void this.#fetched.set(`${topic}/${partition}`, offset),
      poll: (topic, partition) => {
        const place = `${topic}/${partition}`;
        const batch = this.#log.read(topic, partition, this.#fetched.get(place) as number);
        if (batch !== undefined) this.#fetched.set(place, batch.nextOffset);
        return batch;
      },
      endOffset: (topic, partition) => this.#log.endOffset(topic, partition),
      late: (record, late) => void this.#late.push({ ...record, late }),
      wake: () => this.#woken?.(),
    };
  }

  #outputTopic(name: string): OutputTopic & LetterLimits {
    const topic = this.#log.describe(name) as TopicDescription;
    return { partitions: topic.partitions, ...limitsOf(topic), compression: 'none' };
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
    this.#log.append(this.#prepare(batches));
    this.#input.recycle(batches);
  }

  #prepare(batches: readonly OutgoingBatch[]): PreparedBatch[] {
    return batches.map(({ partition, records, topic }) => this.#log.prepare({ topic, partition }, records));
  }

  #partitionOf(key: Uint8Array | string | null): number {
    if (key === null || this.#partitions === 1) return 0;
    return partitionOf(key, this.#partitions);
  }

  #run(): void {
    this.#readGlobals();
    for (let progressed = true; progressed; ) {
      progressed = false;
      for (const task of this.#tasks) {
        while (takeTurn(task, 10_000) > 0) progressed = true;
        if (task.failure !== undefined) throw task.failure;
        if (!task.dirty || task.pendingAsync() > 0) continue;
        progressed = true;
        if (!this.#committed(task)) break;
      }
    }
  }

  /** Global tables take what has been written before any task goes on. */
  #readGlobals(): void {
    for (const [topic, rows] of this.#globals) {
      for (let partition = 0; partition < this.#partitions; partition += 1) {
        const place = `global ${topic}/${partition}`;
        for (;;) {
          const batch = this.#log.read(topic, partition, this.#fetched.get(place) ?? 0);
          if (batch === undefined) break;
          this.#fetched.set(place, batch.nextOffset);
          rows.apply(batch, (error, at) => this.#globalFailed(rows, rawRecord(batch, at, topic, partition), error));
        }
      }
    }
  }

  #globalFailed(rows: GlobalRowMap, origin: InputOrigin, cause: unknown): void {
    const place = { applicationId: this.#applicationId, stage: 'global tables', step: `globalTable(${origin.topic})` };
    const error = asRecordError(cause, place, origin);
    const policy = rows.use.onRecordError ?? this.#options.onRecordError ?? 'fail';
    if (policy === 'fail' || error.errorClass !== 'record') throw error;
    if (!isDeadLetter(policy)) {
      rows.skipped += 1;
      return;
    }
    rows.deadLettered += 1;
    const limits = this.#outputTopic(policy.deadLetter);
    const letter = deadLetterOf(error, place, origin, this.clock.now(), limits);
    const { headers, key, timestamp, value } = letter;
    this.#input.topic(policy.deadLetter).append(-1, timestamp, key, value, headers);
    this.#log.append(this.#prepare(this.#input.take()));
  }

  /**
   * As in an application: where an entry cannot be written, what is not committed is done again with checks, so that the
   * record that makes it goes to the policy.
   *
   * @returns Whether it is committed, and not to be done again by new tasks.
   */
  #committed(task: Task): boolean {
    try {
      this.#commit(task);
      this.#lateCommitted = this.#late.length;
      return true;
    } catch (error) {
      if (!(error instanceof UnwritableState) || this.#checked.has(error.store)) throw error;
      this.#checked.add(error.store);
      this.#late.length = this.#lateCommitted;
      this.restart();
      return false;
    }
  }

  #commit(task: Task): void {
    const { offsets, outputs, state } = task.takeProgress();
    this.#stores.apply(state);
    this.#log.commit({ groupId: this.#applicationId, outputs: this.#prepare(outputs), offsets, state: [] });
    task.recycle(outputs);
    task.committed();
  }
}

function notOfPipeline(what: string, topic: string, known: readonly string[]): FatalError {
  const near = nearest(topic, known);
  return new FatalError('ERR_UNKNOWN_TOPIC', `the pipeline ${what} topic ${topic}`, {
    topic,
    hint: `${near === undefined ? '' : `did you mean ${near}? `}its topics are ${known.join(', ')}`,
  });
}
