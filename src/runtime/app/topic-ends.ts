import type { KnownTopic, Transport } from '../../log/transport.ts';
import type { Topology } from '../../plan/topology.ts';

/** Where a topic ended when an application met it for the first time. */
export interface TopicEnd {
  /** The topic, told from others of its name; `undefined` where the log does not say. */
  readonly topicId: string | undefined;
  readonly offsets: ReadonlyMap<number, number>;
}

/** By topic, for those of which only what comes after that is read. */
export type TopicEnds = ReadonlyMap<string, TopicEnd>;

/** All records are read that nobody has read. */
export const NO_ENDS: TopicEnds = new Map();

/**
 * Where topics end that an application reads only what is new of, which are those that it has never read. Once it has
 * committed anything for a topic it knows all that was there: what has no committed offset after that came later, in a
 * partition that was added, or in a topic that was created again. Looked up before the application joins its group, so that
 * its processes are not taken for each other's past.
 */
export async function topicEnds(
  { stages }: Pick<Topology, 'stages'>,
  topics: ReadonlyMap<string, KnownTopic>,
  applicationId: string,
  transport: Transport,
): Promise<TopicEnds> {
  // What the application has written itself is all meant to be read.
  const written = new Set(stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  const inputs = new Set(stages.flatMap((stage) => stage.inputs.map(({ name }) => name)));
  const sources = [...inputs].flatMap((name) => (written.has(name) ? [] : (topics.get(name) ?? [])));
  const places = sources.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
  // What is committed for other topics may tell of a source too.
  const others = [...inputs].filter((name) => written.has(name)).map((topic) => ({ topic, partition: 0 }));
  const read = await transport.committedTopics(applicationId, [...places, ...others]);
  // A topic that matches a pattern of which others were read has been added since.
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
