import { MillraceError } from '../errors.ts';
import type { DeadLetterPolicy } from '../options/record-policy.ts';
import { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import type { Awaitable } from './awaitable.ts';
import { type DeadLetter, type LetterLimits, limitsOf } from './dead-letter.ts';
import { unknownTopic } from './known-topic.ts';
import { deadLetterConfig } from './letter-config.ts';
import type { Producer, TopicDescription, Transport } from './transport.ts';

/** Writes dead letters. */
export interface Letters {
  /** @throws MillraceError if the letter cannot be written: the record must then not be skipped */
  send(policy: DeadLetterPolicy, make: (limits: LetterLimits) => DeadLetter): Awaitable<void>;
  close(): Awaitable<void>;
}

/** Writes dead letters outside any task: for clients and global tables, which read without commits. */
export class LetterSender implements Letters {
  readonly #transport: Transport;
  readonly #topics = new Map<string, TopicDescription>();
  #producer: Producer | undefined;
  #sent = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Resolves when the letter is acknowledged. A missing topic is created.
   *
   * @param make - Makes the letter for the limits of its topic.
   * @throws MillraceError if the letter cannot be written: the record must then not be skipped
   */
  async send(policy: DeadLetterPolicy, make: (limits: LetterLimits) => DeadLetter): Promise<void> {
    const known = this.#topics.get(policy.deadLetter);
    try {
      await this.#send(known ?? (await this.#look(policy)), make);
    } catch (error) {
      // The cached limits of the topic may be outdated.
      if (known === undefined || !(error instanceof MillraceError) || error.written !== 'no') throw error;
      await this.#send(await this.#look(policy), make);
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close();
  }

  async #look(policy: DeadLetterPolicy): Promise<TopicDescription> {
    const { deadLetter: topic } = policy;
    this.#topics.delete(topic);
    await this.#transport.topics.create(topic, { ifMissing: true, config: deadLetterConfig(policy) });
    const found = await this.#transport.topics.describe(topic);
    if (found === undefined) throw await unknownTopic(this.#transport, topic);
    this.#topics.set(topic, found);
    return found;
  }

  async #send(topic: TopicDescription, make: (limits: LetterLimits) => DeadLetter): Promise<void> {
    const { headers, key, timestamp, value } = make(limitsOf(topic));
    const records = new RecordBatchBuilder();
    records.append(timestamp, key, value, headers);
    this.#producer ??= this.#transport.producer();
    const partition = this.#sent++ % topic.partitions;
    await this.#producer.send([{ topic: topic.name, partition, records, compression: 'none' }]);
  }
}
