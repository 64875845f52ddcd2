import { type Api, byTopic, flatTopics } from './api.ts';

/** Times with a meaning of their own. */
export const EARLIEST = -2;
export const LATEST = -1;

export interface OffsetQuestion {
  readonly topic: string;
  readonly partition: number;
  readonly time: number;
}

export interface OffsetAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** −1 when no record is that young. */
  readonly offset: number;
}

/** Offsets by time. `committed` asks for the end of what is readable instead of the end of the log. */
export const listOffsetsApi: Api<
  { readonly committed: boolean; readonly questions: readonly OffsetQuestion[] },
  readonly OffsetAnswer[]
> = {
  name: 'ListOffsets',
  key: 2,
  version: 2,
  encode: (writer, { committed, questions }) =>
    writer
      .int32(-1)
      .int8(committed ? 1 : 0)
      .array(byTopic(questions), ({ topic, partitions }) =>
        writer.string(topic).array(partitions, ({ partition, time }) => writer.int32(partition).int64(time)),
      ),
  decode: (reader) => {
    reader.int32();
    return flatTopics(
      reader.array(() => ({
        topic: reader.string(),
        partitions: reader.array(() => {
          const [partition, errorCode] = [reader.int32(), reader.int16()];
          reader.int64();
          return { partition, errorCode, offset: reader.int64() };
        }),
      })),
    );
  },
};
