import type { WireReader } from './reader.ts';
import type { WireWriter } from './writer.ts';

/** One kind of request in one version of the protocol. */
export interface Api<Q, R> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Whether the version has tagged fields and therefore longer headers. */
  readonly flexible?: boolean;
  /** The fallback for brokers that do not support this version. */
  readonly older?: Api<Q, R>;
  readonly encode: (writer: WireWriter, request: Q) => void;
  readonly decode: (reader: WireReader) => R;
}

/** Items of the partitions of one topic. */
export interface OfTopic<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

/** Groups items of partitions by topic, as requests need them. */
export function byTopic<P extends { readonly topic: string }>(items: Iterable<P>): OfTopic<P>[] {
  const topics = new Map<string, P[]>();
  for (const item of items) {
    const known = topics.get(item.topic);
    if (known === undefined) topics.set(item.topic, [item]);
    else known.push(item);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** The items of all partitions in one list, each with its topic. */
export function flatTopics<P>(topics: readonly OfTopic<P>[]): (P & { readonly topic: string })[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((item) => ({ ...item, topic })));
}
