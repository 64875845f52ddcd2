import {
  type App,
  type Clock,
  json,
  MillraceError,
  memoryTransport,
  type Pipeline,
  type RunOptions,
  run,
  type StreamRecord,
  string,
  topic,
} from 'millrace';
import type { Target } from '../../src/dataflow/target.ts';
import { encode, partitionOf } from '../../src/log/encode.ts';
import type { GroupSession, Transport } from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { TopicReader } from '../../src/testing/topic-reader.ts';
import { MemoryLog } from '../../src/transports/memory/memory-log.ts';

export const source = topic('source', { key: string(), value: json<number>() });
export const shuffle = topic('shuffle', { key: string(), value: json<number>() });
export const out = topic('out', { key: string(), value: json<unknown>() });

/** Where a fault can be put: the calls of a transport that an application awaits, and polls. */
export type Call =
  | 'open'
  | 'describe'
  | 'create'
  | 'offsets'
  | 'committed'
  | 'group'
  | 'send'
  | 'commit'
  | 'commit done'
  | 'poll';

/** Asked before each call; a throw is the fault, a promise a delay. */
export type Fault = (call: Call) => void | Promise<void>;

/**
 * A process that ends again and again.
 *
 * @param where - The calls that count.
 * @param after - After how many of them it ends, each time; then it ends no more.
 */
export function endsAt(where: ReadonlySet<Call>, after: readonly number[]): Fault {
  const left = [...after];
  let calls = 0;
  return (call) => {
    const next = left[0];
    if (next === undefined || !where.has(call)) return;
    calls += 1;
    if (calls <= next) return;
    left.shift();
    calls = 0;
    throw new MillraceError('fatal', 'ERR_TEST', `the process ends at ${call}`);
  };
}

/** A log in memory with faults in front of it. */
export class FaultyLog {
  readonly log: MemoryLog = new MemoryLog();
  readonly calls: Call[] = [];
  closed = 0;
  opened = 0;
  fault: Fault = () => undefined;
  readonly #open = new Set<Transport>();

  create(name: string, partitions = 1): this {
    this.log.create(name, { partitions });
    return this;
  }

  readonly open = async (): Promise<Transport> => {
    await this.#at('open');
    this.opened += 1;
    const real = await memoryTransport(this.log)();
    this.#open.add(real);
    return this.#wrap(real);
  };

  /** Takes the log away from who uses it, as the end of its process does. */
  async crash(): Promise<void> {
    await Promise.all(Array.from(this.#open, (real) => real.close()));
    this.#open.clear();
  }

  /** Writes records, one batch per record, so that turns and commits fall between them. */
  publish<K, V>(
    target: Target<K, V>,
    records: readonly { key: K; value: V; timestamp?: number; partition?: number }[],
  ): void {
    const partitions = this.log.describe(target.name)?.partitions ?? 1;
    for (const { key: from, partition, timestamp = 0, value } of records) {
      const key = target.key === undefined ? null : encode(target.use.key as never, from, target.name, 'key');
      const builder = new RecordBatchBuilder(256);
      builder.append(timestamp, key, encode(target.use.value, value, target.name, 'value'), []);
      const place = { topic: target.name, partition: partition ?? Math.max(0, partitionOf(key, partitions)) };
      this.log.append([this.log.prepare(place, builder)]);
    }
  }

  read<K, V>(target: Target<K, V>): StreamRecord<K, V | null>[] {
    return new TopicReader(this.log, target.name).read(target);
  }

  values<K, V>(target?: Target<K, V>): unknown[] {
    return target === undefined ? this.values(out) : this.read(target).map(({ value }) => value);
  }

  committed(groupId: string, name: string, partition = 0): number | undefined {
    return this.log.committed(groupId, [{ topic: name, partition }])[0]?.offset;
  }

  run(pipeline: Pipeline, options: Partial<RunOptions> = {}): App {
    return run(pipeline, { applicationId: 'app', transport: this.open, ...options });
  }

  async #at(call: Call): Promise<void> {
    this.calls.push(call);
    await this.fault(call);
  }

  #wrap(real: Transport): Transport {
    return {
      kind: real.kind,
      location: real.location,
      capabilities: real.capabilities,
      topics: {
        ...real.topics,
        describe: async (name) => {
          await this.#at('describe');
          return real.topics.describe(name);
        },
        create: async (name, options) => {
          await this.#at('create');
          return real.topics.create(name, options);
        },
        describeAll: async (names) => {
          await this.#at('describe');
          return real.topics.describeAll(names);
        },
        createAll: async (topics) => {
          await this.#at('create');
          return real.topics.createAll(topics);
        },
      },
      offsets: async (...query) => {
        await this.#at('offsets');
        return real.offsets(...query);
      },
      committed: async (...query) => {
        await this.#at('committed');
        return real.committed(...query);
      },
      committedTopics: (...query) => real.committedTopics(...query),
      groups: () => real.groups(),
      describeGroup: (groupId, stable) => real.describeGroup(groupId, stable),
      setCommitted: (...args) => real.setCommitted(...args),
      deleteGroup: (group) => real.deleteGroup(group),
      fetcher: (options) => {
        const fetcher = real.fetcher(options);
        return {
          assign: (...args) => fetcher.assign(...args),
          unassign: (...args) => fetcher.unassign(...args),
          origin: (...args) => fetcher.origin(...args),
          endOffset: (...args) => fetcher.endOffset(...args),
          writtenEnd: (...args) => fetcher.writtenEnd(...args),
          waitingFor: () => fetcher.waitingFor(),
          close: () => fetcher.close(),
          poll: (...args) => {
            this.calls.push('poll');
            void this.fault('poll');
            return fetcher.poll(...args);
          },
        };
      },
      producer: () => real.producer(),
      group: async (options) => {
        await this.#at('group');
        return this.#session(await real.group(options));
      },
      close: async () => {
        this.closed += 1;
        await real.close();
      },
    };
  }

  #session(session: GroupSession): GroupSession {
    return {
      get generation() {
        return session.generation;
      },
      get epoch() {
        return session.epoch;
      },
      stores: session.stores,
      waitingFor: () => session.waitingFor(),
      leave: () => session.leave(),
      send: async (batches) => {
        await this.#at('send');
        await session.send(batches);
      },
      commit: async (unit) => {
        await this.#at('commit');
        await session.commit(unit);
        await this.#at('commit done');
      },
    };
  }
}

/** Waits until a condition holds; fails with what was waited for. */
export async function until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The machine's clock with timers that are a hundred times as fast: waiting between tries is not what is tested. */
export const hastyClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms / 100);
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};

/** Lets an application that has something to do do it. */
export async function rounds(count = 20): Promise<void> {
  for (let round = 0; round < count; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise to be settled by hand. */
export function gate(): { readonly wait: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait, open };
}
