import { type Api, byTopic, flatTopics } from './api.ts';

export interface FetchedOffset {
  readonly topic: string;
  readonly partition: number;
  /** −1 when none was committed. */
  readonly offset: number;
  /** −1 when none was committed with it. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

export interface OffsetsWanted {
  readonly groupId: string;
  /** All that there are with `null`. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[] | null;
  /** Whether to refuse an offset that a transaction may change; otherwise the previous one is returned. */
  readonly stable: boolean;
}

/** Committed offsets of a group. */
export const offsetFetchApi: Api<
  OffsetsWanted,
  { readonly errorCode: number; readonly offsets: readonly FetchedOffset[] }
> = {
  name: 'OffsetFetch',
  key: 9,
  version: 7,
  flexible: true,
  encode: (writer, { groupId, partitions, stable }) =>
    writer
      .compactString(groupId)
      .compactArray(partitions === null ? null : byTopic(partitions), (each) =>
        writer
          .compactString(each.topic)
          .compactArray(each.partitions, ({ partition }) => writer.int32(partition))
          .tags(),
      )
      .boolean(stable)
      .tags(),
  decode: (reader) => {
    reader.int32();
    const topics = reader.compactArray(() => {
      const topic = reader.compactString();
      const partitions = reader.compactArray(() => {
        const answer = {
          partition: reader.int32(),
          offset: reader.int64(),
          leaderEpoch: reader.int32(),
          metadata: reader.compactNullableString(),
          errorCode: reader.int16(),
        };
        reader.tags();
        return answer;
      });
      reader.tags();
      return { topic, partitions };
    });
    return { offsets: flatTopics(topics), errorCode: reader.int16() };
  },
};
