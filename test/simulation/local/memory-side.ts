import type { OpenTransport, Transport } from '../../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../../src/protocol/batch-builder.ts';
import { MemoryLog } from '../../../src/transports/memory/memory-log.ts';
import { memoryTransport } from '../../../src/transports/memory/memory-transport.ts';
import type { Input } from '../inputs.ts';
import { APPLICATION, type Ground } from '../instance.ts';
import type { Host, World } from '../world.ts';
import { LogTopicReader } from './log-topic-reader.ts';
import type { Side } from './side.ts';

/**
 * A log in memory, in the process of those who use it: one that dies is one whose log is taken from it. It loses its seat and what
 * it has not committed, and goes on as well as it can.
 */
export class MemorySide implements Side {
  readonly counts: Readonly<Record<string, number>> = {};
  readonly #log: MemoryLog;
  readonly #transports = new Map<Host, Transport>();

  constructor(world: World, topics: ReadonlyMap<string, number>) {
    this.#log = new MemoryLog({ now: world.host('log').clock.now });
    for (const [name, partitions] of topics) this.#log.create(name, { partitions });
  }

  async begin(): Promise<void> {
    // It is there.
  }

  ground(): Ground {
    return {
      begin: (host): OpenTransport => {
        return async () => {
          const transport = await memoryTransport(this.#log)();
          this.#transports.set(host, transport);
          return transport;
        };
      },
      outlives: true,
      died: (host) => void this.#transports.get(host)?.close(),
    };
  }

  write(inputs: readonly Input[]): void {
    for (const { id, key, partition, timestamp } of inputs) {
      const records = new RecordBatchBuilder(64);
      records.append(timestamp, key, String(id), []);
      this.#log.append([this.#log.prepare({ topic: 'source', partition }, records)]);
    }
  }

  get isWritten(): boolean {
    return true;
  }

  reader(topic: string): LogTopicReader {
    const log = this.#log;
    return new LogTopicReader(
      topic,
      () => log.known(topic)?.partitions ?? 0,
      (partition, offset) => log.read(topic, partition, offset),
    );
  }

  committed(topic: string): ReadonlyMap<number, number> {
    const places = Array.from({ length: this.#log.known(topic)?.partitions ?? 0 }, (_, partition) => ({
      topic,
      partition,
    }));
    return new Map(this.#log.committed(APPLICATION, places).map(({ offset, partition }) => [partition, offset]));
  }

  grow(partitions: number): void {
    this.#log.addPartitions('source', partitions);
  }

  look(): void {
    // What is there is seen at once.
  }

  rebalance(lost: boolean): void {
    if (lost) this.#log.groups.expel(APPLICATION);
    else this.#log.groups.reassign(APPLICATION);
  }

  cause(): boolean {
    return false;
  }

  wrong(): string[] {
    return [];
  }

  heal(): void {
    // Nothing was wrong with it.
  }
}
