import type { TopicUse } from '../../dataflow/node.ts';
import { FatalError } from '../../errors.ts';
import { checkPartitionCount, unknownTopic } from '../../log/known-topic.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import type { KnownTopic, Transport } from '../../log/transport.ts';
import type { Compression } from '../../protocol/compression.ts';

/**
 * Looks a topic up, and creates it if it is missing and was declared with a number of partitions.
 *
 * @param create - False if the topic existed before: a deleted topic is not brought back.
 * @throws FatalError `ERR_UNKNOWN_TOPIC`; ConfigError `ERR_PARTITION_COUNT` if it has a different number of partitions.
 */
export async function ensureTopic(transport: Transport, use: TopicUse, create: boolean): Promise<KnownTopic> {
  const found = await known(transport, use.name);
  if (found !== undefined) {
    checkPartitionCount(use, found);
    return found;
  }
  if (!create) throw await removedTopic(transport, use);
  if (use.partitions === undefined) throw await unknownTopic(transport, use.name);
  await transport.topics.create(use.name, {
    partitions: use.partitions,
    ifMissing: true,
    ...(use.config === undefined ? {} : { config: use.config }),
  });
  const created = await known(transport, use.name);
  if (created === undefined) throw new FatalError('ERR_UNKNOWN_TOPIC', `topic ${use.name} could not be created`);
  return created;
}

async function known(transport: Transport, name: string): Promise<KnownTopic | undefined> {
  return (await transport.topics.describeAll([name])).get(name);
}

/** A declaration with partitions creates a topic only once, so the usual advice would not help. */
function removedTopic(transport: Transport, { name }: TopicUse): Promise<FatalError> {
  return unknownTopic(transport, name, {
    hint: `it existed and was deleted; create it again (client.topics.create('${name}')), or open a new client`,
  });
}

/** Metadata of a topic that is published to. Until it is known, calls wait in order. */
export class TopicWriter {
  readonly #transport: Transport;
  readonly #use: TopicUse;
  readonly #compression: Compression;
  #limits: OutputTopic | undefined;
  #found = false;
  #waiting: { readonly ready: () => void; readonly failed: (error: unknown) => void }[] = [];
  #lookUp: Promise<void> | undefined;
  #sticky = 0;
  /** Monotonic time of the last look-up. */
  #seen: number | undefined;

  constructor(transport: Transport, use: TopicUse, compression: Compression) {
    this.#transport = transport;
    this.#use = use;
    this.#compression = compression;
  }

  /** Use only while ready. */
  get limits(): OutputTopic {
    return this.#limits as OutputTopic;
  }

  /** The partition for records that may go to any: it changes only with each round, so that batches are large. */
  get sticky(): number {
    return this.#sticky % this.limits.partitions;
  }

  get known(): OutputTopic | undefined {
    return this.#limits;
  }

  /** Resolves when no call waits any more. */
  async settled(): Promise<void> {
    await this.#lookUp;
  }

  /** Looks the topic up in the background if the last look-up is too old: partitions may have been added. */
  refresh(now: number, maxAgeMs: number): void {
    this.#seen ??= now;
    if (now - this.#seen < maxAgeMs || this.#limits === undefined) return;
    this.#seen = now;
    void this.look();
  }

  turn(): void {
    this.#sticky += 1;
  }

  /** Whether the topic is known and no call waits. */
  get ready(): boolean {
    return this.#limits !== undefined && this.#waiting.length === 0;
  }

  /** Calls back when the topic is known, after the calls that already wait. Use only while not ready. */
  run(ready: () => void, failed: (error: unknown) => void): void {
    this.#waiting.push({ ready, failed });
    void this.look();
  }

  /** Discards the metadata, because the topic may have changed. */
  forget(): void {
    this.#limits = undefined;
  }

  /** Looks the topic up, one look-up at a time; never rejects. Known metadata stays in use meanwhile. */
  look(): Promise<void> {
    this.#lookUp ??= this.#look().finally(() => {
      this.#lookUp = undefined;
    });
    return this.#lookUp;
  }

  async #look(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      const { config, partitions } = await ensureTopic(this.#transport, this.#use, !this.#found);
      this.#found = true;
      const { maxMessageBytes } = config;
      this.#limits = { partitions, maxMessageBytes, compression: this.#compression };
    } catch (error) {
      failure = { error };
      this.#limits = undefined;
    }
    if (failure !== undefined) this.giveUp(failure.error);
    else for (const { ready } of this.#waiting.splice(0)) ready();
  }

  /** Rejects the waiting calls. */
  giveUp(error: unknown): void {
    for (const { failed } of this.#waiting.splice(0)) failed(error);
  }
}
