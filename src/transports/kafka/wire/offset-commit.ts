import { type Api, byTopic, flatTopics } from './api.ts';

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Under which leader the record before it was written. */
  readonly leaderEpoch?: number | undefined;
  readonly metadata?: string;
}

/** Who commits, in which generation; for nobody in particular the generation is −1 and the member empty. */
export interface GroupIdentity {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
}

export interface OffsetCommitAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

export const offsetCommitApi: Api<
  GroupIdentity & { readonly offsets: readonly OffsetToCommit[] },
  readonly OffsetCommitAnswer[]
> = {
  name: 'OffsetCommit',
  key: 8,
  version: 7,
  encode: (writer, request) =>
    writer
      .string(request.groupId)
      .int32(request.generation)
      .string(request.memberId)
      .string(request.instanceId)
      .array(byTopic(request.offsets), ({ topic, partitions }) =>
        writer.string(topic).array(partitions, ({ partition, offset, leaderEpoch, metadata }) =>
          writer
            .int32(partition)
            .int64(offset)
            .int32(leaderEpoch ?? -1)
            .string(metadata ?? ''),
        ),
      ),
  decode: (reader) => {
    reader.int32();
    return flatTopics(
      reader.array(() => ({
        topic: reader.string(),
        partitions: reader.array(() => ({ partition: reader.int32(), errorCode: reader.int16() })),
      })),
    );
  },
};
