import type { Stage } from './stages.ts';
import type { TaskSpec, TopicDescription, TopicPartition, Transport } from './transport.ts';

/** The tasks of a stage: one per partition of its topics. */
export function taskSpecs(stage: Stage, topics: ReadonlyMap<string, TopicDescription>): TaskSpec[] {
  const count = Math.max(...stage.inputs.map(({ name }) => topics.get(name)?.partitions ?? 0));
  return Array.from({ length: count }, (_, partition) => ({
    id: `${stage.name}/${partition}`,
    partitions: stage.inputs.map(({ name }) => ({ topic: name, partition })),
  }));
}

/** Offsets to start reading at, by topic and partition. */
export class StartPositions {
  readonly #offsets = new Map<string, number>();

  /** The committed offset of each partition; where there is none, the earliest or the latest. */
  static async find(
    transport: Transport,
    groupId: string,
    partitions: readonly TopicPartition[],
    otherwise: (topic: string) => 'earliest' | 'latest',
  ): Promise<StartPositions> {
    const found = new StartPositions();
    for (const { offset, partition, topic } of await transport.committed(groupId, partitions)) {
      found.#offsets.set(`${topic}/${partition}`, offset);
    }
    for (const topic of new Set(partitions.map((each) => each.topic))) {
      const missing = partitions.filter((each) => each.topic === topic && found.of(each) === undefined);
      if (missing.length === 0) continue;
      const numbers = missing.map(({ partition }) => partition);
      for (const [partition, offset] of await transport.offsets(topic, otherwise(topic), numbers)) {
        found.#offsets.set(`${topic}/${partition}`, offset);
      }
    }
    return found;
  }

  of({ partition, topic }: TopicPartition): number | undefined {
    return this.#offsets.get(`${topic}/${partition}`);
  }

  /** Those of one task, by topic. */
  forTask({ partitions }: TaskSpec): ReadonlyMap<string, number> {
    return new Map(partitions.map((place) => [place.topic, this.of(place) as number]));
  }
}
