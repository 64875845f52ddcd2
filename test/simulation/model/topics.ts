import { PartitionLog } from './partition-log.ts';

export interface ModelTopic {
  readonly name: string;
  /** As Kafka writes it. */
  readonly id: string;
  readonly partitions: PartitionLog[];
  readonly configs: Map<string, string>;
}

/** What a broker answers for settings that nobody has made. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'max.message.bytes': '1048588',
  'min.compaction.lag.ms': '0',
  'delete.retention.ms': '86400000',
};

/** The topics of the model. */
export class ModelTopics {
  readonly byName: Map<string, ModelTopic> = new Map();
  readonly byId: Map<string, ModelTopic> = new Map();
  #made = 0;

  create(name: string, partitions: number, configs: Iterable<readonly [string, string]> = []): number {
    if (this.byName.has(name)) return 36;
    if (partitions < 1) return 37;
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32BE(0x5eed, 0);
    bytes.writeUInt32BE(++this.#made, 12);
    const topic: ModelTopic = {
      name,
      id: bytes.toString('base64url'),
      partitions: Array.from({ length: partitions }, () => new PartitionLog()),
      configs: new Map(configs),
    };
    this.byName.set(name, topic);
    this.byId.set(topic.id, topic);
    return 0;
  }

  delete(name: string): number {
    const topic = this.byName.get(name);
    if (topic === undefined) return 3;
    this.byName.delete(name);
    this.byId.delete(topic.id);
    return 0;
  }

  grow(name: string, total: number): number {
    const topic = this.byName.get(name);
    if (topic === undefined) return 3;
    if (total <= topic.partitions.length) return 37;
    while (topic.partitions.length < total) topic.partitions.push(new PartitionLog());
    return 0;
  }

  partition(name: string, partition: number): PartitionLog | undefined {
    return this.byName.get(name)?.partitions[partition];
  }

  config(topic: ModelTopic, name: string): string | null {
    return topic.configs.get(name) ?? DEFAULTS[name] ?? null;
  }
}
