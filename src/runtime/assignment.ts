import type { Stage } from './stages.ts';
import type { TaskSpec, TopicDescription } from './transport.ts';

/** The tasks of a stage: one per partition of its topics. */
export function taskSpecs(stage: Stage, topics: ReadonlyMap<string, TopicDescription>): TaskSpec[] {
  const count = Math.max(...stage.inputs.map(({ name }) => topics.get(name)?.partitions ?? 0));
  return Array.from({ length: count }, (_, partition) => ({
    id: `${stage.name}/${partition}`,
    partitions: stage.inputs.map(({ name }) => ({ topic: name, partition })),
  }));
}
