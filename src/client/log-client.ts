import { type Clock, systemClock } from '../dataflow/clock.ts';
import { KeepAlive } from '../dataflow/keep-alive.ts';
import type { TopicUse } from '../dataflow/node.ts';
import { ConfigError, MillraceError } from '../errors.ts';
import { LetterSender } from '../log/letter-sender.ts';
import { type Logger, noLogger } from '../log/logger.ts';
import type { OffsetQuery, TopicPartition, Transport } from '../log/transport.ts';
import { counted, partitionsToUse } from '../options/counted.ts';
import { durationMs } from '../options/duration.ts';
import { checkWhole, show, timeMs } from '../options/option-checks.ts';
import type { Client, PartitionOffsets } from './client.ts';
import { type ClientGroups, clientGroups } from './client-groups.ts';
import { type ClientOptions, publishLimits } from './client-options.ts';
import { type ClientTopics, clientTopics, nameOf, type TopicName } from './client-topics.ts';
import { clientClosed } from './failures.ts';
import type { Published, PublishRecord } from './publish/published.ts';
import { Publisher } from './publish/publisher.ts';
import type { ReadOptions } from './read/read-options.ts';
import { type AnyTopic, offsetEntries, readPlan } from './read/read-plan.ts';
import { Reading } from './read/reading.ts';
import { Records } from './read/records.ts';

/** A client for an open log. Closing the client closes the log. */
export function logClient(transport: Transport, options: ClientOptions): Client {
  // Only the interface knows the types of topics and records; here they are all unknown.
  return new LogClient(transport, options) as Client;
}

class LogClient implements Omit<Client, 'records'> {
  readonly topics: ClientTopics;
  readonly groups: ClientGroups;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #keepAlive = new KeepAlive();
  readonly #publisher: Publisher;
  readonly #letters: LetterSender;
  readonly #readings = new Set<Reading>();
  #closing: Promise<void> | undefined;

  constructor(transport: Transport, options: ClientOptions) {
    this.#transport = transport;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger || noLogger;
    this.#deadlineMs = durationMs(options.closeDeadline ?? '10s', 'closeDeadline');
    const limits = publishLimits(options, transport.kind);
    this.#publisher = new Publisher(transport, limits, this.#clock, this.#keepAlive);
    this.#letters = new LetterSender(transport);
    this.groups = clientGroups(() => this.#live());
    this.topics = clientTopics(
      () => this.#live(),
      (name) => this.#changed(name),
    );
  }

  publish(topic: AnyTopic, record: PublishRecord<unknown, unknown>, ...more: unknown[]): Promise<Published> {
    if (more.length > 0) return Promise.reject(tooMuch('publish'));
    return this.#publisher.publish(useOf(topic), record);
  }

  async publishAll(
    topic: AnyTopic,
    records: Iterable<PublishRecord<unknown, unknown>>,
    ...more: unknown[]
  ): Promise<readonly Published[]> {
    if (more.length > 0) throw tooMuch('publishAll');
    return this.#publisher.publishAll(useOf(topic), records);
  }

  async flush(): Promise<void> {
    await this.#publisher.flush();
  }

  records(topics: AnyTopic | readonly AnyTopic[] | RegExp, options?: ReadOptions): Records<unknown> {
    const plan = readPlan(topics, options);
    const open = (ready: () => void): Reading => {
      const host = {
        transport: this.#live(),
        clock: this.#clock,
        logger: this.#logger,
        keepAlive: this.#keepAlive,
        letters: this.#letters,
        readings: this.#readings,
      };
      return new Reading(plan, host, ready);
    };
    return new Records(open, this.#clock);
  }

  async offsets(topic: TopicName, query: OffsetQuery | { readonly time: Date }): Promise<PartitionOffsets> {
    if ((typeof query !== 'object' || query === null) && query !== 'earliest' && query !== 'latest') {
      throw badQuery(query);
    }
    const wanted = typeof query === 'object' ? { time: timeMs('offsets', 'time', query.time) } : query;
    return this.#live().offsets(nameOf(topic), wanted);
  }

  async committed(group: string, topic: TopicName): Promise<PartitionOffsets> {
    const transport = this.#live();
    const committed = await transport.committed(group, await this.#partitions(nameOf(topic)));
    return new Map(committed.map(({ partition, offset }) => [partition, offset]));
  }

  async setCommitted(group: string, topic: TopicName, offsets: PartitionOffsets | readonly number[]): Promise<void> {
    const transport = this.#live();
    const name = nameOf(topic);
    const known = await this.#partitions(name);
    const committed = offsetEntries(offsets).map(([partition, offset]) => {
      checkWhole('setCommitted', 'an offset', offset);
      if (!known.some((each) => each.partition === partition)) throw noPartition(name, partition, known.length);
      return { topic: name, partition, offset };
    });
    await transport.setCommitted(group, committed);
  }

  async lag(group: string, topic: TopicName): Promise<PartitionOffsets> {
    const [committed, ends, starts] = await Promise.all([
      this.committed(group, topic),
      this.offsets(topic, 'latest'),
      this.offsets(topic, 'earliest'),
    ]);
    return new Map(
      [...ends].map(([partition, end]) => {
        const start = starts.get(partition) ?? 0;
        return [partition, Math.max(0, end - Math.max(start, committed.get(partition) ?? start))];
      }),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#publisher.stop();
    this.#keepAlive.hold();
    try {
      const ended = [...this.#readings].map((reading) => reading.clientClosed());
      const graceful = Promise.all([this.#publisher.flush(), ...ended]);
      await Promise.race([graceful, new Promise<void>((resolve) => this.#clock.after(this.#deadlineMs, resolve))]);
      await this.#publisher.close((written) => closeDeadline(this.#deadlineMs, written));
      await this.#letters.close();
      await this.#transport.close();
    } finally {
      this.#keepAlive.release();
      this.#keepAlive.close();
    }
  }

  async #partitions(topic: string): Promise<TopicPartition[]> {
    const offsets = await this.#transport.offsets(topic, 'latest');
    return [...offsets.keys()].map((partition) => ({ topic, partition }));
  }

  #changed(topic: string): void {
    this.#publisher.forget(topic);
    for (const reading of this.#readings) void reading.refresh();
  }

  #live(): Transport {
    if (this.#closing !== undefined) throw clientClosed();
    return this.#transport;
  }
}

/** @throws ConfigError `ERR_OPTION` */
function useOf(topic: AnyTopic): TopicUse {
  if (typeof topic?.use?.value?.serialize === 'function') return topic.use;
  throw new ConfigError('ERR_OPTION', `${show(topic)} is not a topic`, {
    written: 'no',
    hint: "say how its records are written: topic('orders', { value: json() })",
  });
}

function tooMuch(call: string): ConfigError {
  return new ConfigError(
    'ERR_OPTION',
    `${call} takes a topic and ${call === 'publish' ? 'a record' : 'records'}, and nothing else`,
    {
      written: 'no',
      hint: 'key, timestamp, headers and partition are fields of the record',
    },
  );
}

function badQuery(query: unknown): ConfigError {
  return new ConfigError('ERR_OPTION', `offsets: the query is ${show(query)}`, {
    hint: "give 'earliest', 'latest' or { time }",
  });
}

function noPartition(topic: string, partition: number, count: number): ConfigError {
  return new ConfigError(
    'ERR_UNKNOWN_PARTITION',
    `topic ${topic} has ${counted(count, 'partition')}, no ${partition}`,
    {
      topic,
      partition,
      hint: partitionsToUse(count),
    },
  );
}

function closeDeadline(deadlineMs: number, written: 'no' | 'unknown'): MillraceError {
  return new MillraceError(
    'retriable-exhausted',
    'ERR_CLOSE_DEADLINE',
    `the client was closed, and the write was not acknowledged within ${deadlineMs} ms`,
    { written, hint: 'await flush() before close(), or raise closeDeadline' },
  );
}
