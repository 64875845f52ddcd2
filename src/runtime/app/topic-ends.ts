import type { KnownTopic, Transport } from '../../log/transport.ts';
import type { Topology } from '../../plan/topology.ts';

/** The end of a topic when an application first read it. */
export interface TopicEnd {
  /** Distinguishes the topic from others with its name; `undefined` if the log does not provide it. */
  readonly topicId: string | undefined;
  readonly offsets: ReadonlyMap<number, number>;
}

/** By topic, for topics of which only later records are read. */
export type TopicEnds = ReadonlyMap<string, TopicEnd>;

/** All records without a committed offset are read. */
export const NO_ENDS: TopicEnds = new Map();

/**
 * The ends of topics that an application reads from 'latest', which are those that it has never read. Once it has
 * committed anything for a topic, partitions without a committed offset must be newer: added later, or part of a
 * recreated topic. This is looked up before the application joins its group, so that commits of its other processes are
 * not mistaken for an earlier run.
 */
export async function topicEnds(
  { stages }: Pick<Topology, 'stages'>,
  topics: ReadonlyMap<string, KnownTopic>,
  applicationId: string,
  transport: Transport,
): Promise<TopicEnds> {
  // The application must read everything that it has written itself.
  const written = new Set(stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  const inputs = new Set(stages.flatMap((stage) => stage.inputs.map(({ name }) => name)));
  const sources = [...inputs].flatMap((name) => (written.has(name) ? [] : (topics.get(name) ?? [])));
  const places = sources.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
  // Offsets committed for other topics can be evidence for a source too.
  const others = [...inputs].filter((name) => written.has(name)).map((topic) => ({ topic, partition: 0 }));
  const read = await transport.committedTopics(applicationId, [...places, ...others]);
  // If other topics of a pattern have been read, a matching topic without offsets was added later.
  const patterns = new Map(stages.flatMap((stage) => stage.inputs.map(({ foundBy, name }) => [name, foundBy])));
  const begun = new Set([...read].map((name) => patterns.get(name)).filter((pattern) => pattern !== undefined));
  const unread = sources.filter(({ name }) => !read.has(name) && !begun.has(patterns.get(name) ?? ''));
  const ends = await Promise.all(
    unread.map(async ({ id, name }) => {
      return [name, { topicId: id, offsets: await transport.offsets(name, 'latest') }] as const;
    }),
  );
  return new Map(ends);
}
