import type { CommittedOffset, OffsetOrigin, TaskSpec, TopicDescription } from '../log/transport.ts';
import type { Stage } from './stages.ts';

/**
 * The tasks of a stage: one per partition of its topics. Topics found by a pattern may have fewer partitions than
 * others.
 */
export function taskSpecs(stage: Stage, topics: ReadonlyMap<string, TopicDescription>): TaskSpec[] {
  const count = Math.max(0, ...stage.inputs.map(({ name }) => topics.get(name)?.partitions ?? 0));
  return Array.from({ length: count }, (_, partition) => ({
    id: `${stage.name}/${partition}`,
    partitions: stage.inputs
      .filter(({ name }) => partition < (topics.get(name)?.partitions ?? 0))
      .map(({ name }) => ({ topic: name, partition })),
  }));
}

/** The origin of a start offset. The commit provides the leader epoch of the record before it. */
export function originOf(
  topics: ReadonlyMap<string, { readonly id?: string | undefined }>,
  topic: string,
  offset: number,
  committed: CommittedOffset | undefined,
): OffsetOrigin {
  const topicId = topics.get(topic)?.id;
  return { topicId, leaderEpoch: committed?.offset === offset ? committed.leaderEpoch : undefined };
}
