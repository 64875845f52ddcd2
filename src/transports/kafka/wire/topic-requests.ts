import { type Api, byTopic, flatTopics } from './api.ts';

/** How an administrative request about one topic ended. */
export interface TopicAnswer {
  readonly topic: string;
  readonly errorCode: number;
  readonly message: string | null;
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
}

const TOPIC_RESOURCE = 2;
const SET = 0;
const DELETE = 1;

export interface TopicToCreate {
  readonly topic: string;
  readonly partitions: number;
  /** −1 for the broker's default. */
  readonly replicationFactor: number;
  readonly configs: readonly ConfigEntry[];
}

export const createTopicsApi: Api<
  { readonly topics: readonly TopicToCreate[]; readonly timeoutMs: number },
  readonly TopicAnswer[]
> = {
  name: 'CreateTopics',
  key: 19,
  version: 4,
  encode: (writer, request) =>
    writer
      .array(request.topics, ({ topic, partitions, replicationFactor, configs }) =>
        writer
          .string(topic)
          .int32(partitions)
          .int16(replicationFactor)
          .array([], () => undefined)
          .array(configs, ({ name, value }) => writer.string(name).string(value)),
      )
      .int32(request.timeoutMs)
      .boolean(false),
  decode: (reader) => {
    reader.int32();
    return reader.array(() => ({
      topic: reader.string(),
      errorCode: reader.int16(),
      message: reader.nullableString(),
    }));
  },
};

export const deleteTopicApi: Api<{ readonly topic: string; readonly timeoutMs: number }, readonly TopicAnswer[]> = {
  name: 'DeleteTopics',
  key: 20,
  version: 3,
  encode: (writer, { topic, timeoutMs }) => writer.array([topic], (name) => writer.string(name)).int32(timeoutMs),
  decode: (reader) => {
    reader.int32();
    return reader.array(() => ({ topic: reader.string(), errorCode: reader.int16(), message: null }));
  },
};

export const createPartitionsApi: Api<
  { readonly topic: string; readonly total: number; readonly timeoutMs: number },
  readonly TopicAnswer[]
> = {
  name: 'CreatePartitions',
  key: 37,
  version: 1,
  encode: (writer, { topic, total, timeoutMs }) =>
    writer
      .array([topic], (name) =>
        writer
          .string(name)
          .int32(total)
          .array(null, () => undefined),
      )
      .int32(timeoutMs)
      .boolean(false),
  decode: (reader) => {
    reader.int32();
    return reader.array(() => ({
      topic: reader.string(),
      errorCode: reader.int16(),
      message: reader.nullableString(),
    }));
  },
};

export interface DescribedConfigs extends TopicAnswer {
  readonly configs: readonly ConfigEntry[];
}

export const describeConfigsApi: Api<
  { readonly topics: readonly string[]; readonly names: readonly string[] },
  readonly DescribedConfigs[]
> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 2,
  encode: (writer, { topics, names }) =>
    writer
      .array(topics, (topic) =>
        writer
          .int8(TOPIC_RESOURCE)
          .string(topic)
          .array(names, (name) => writer.string(name)),
      )
      .boolean(false),
  decode: (reader) => {
    reader.int32();
    return reader.array(() => {
      const [errorCode, message] = [reader.int16(), reader.nullableString()];
      reader.int8();
      const topic = reader.string();
      const configs = reader.array(() => {
        const entry = { name: reader.string(), value: reader.nullableString() };
        reader.boolean();
        reader.int8();
        reader.boolean();
        reader.array(() => [reader.string(), reader.nullableString(), reader.int8()]);
        return entry;
      });
      return { topic, errorCode, message, configs };
    });
  },
};

/** Settings of a topic to change; a value of `null` stands for the broker's default. */
export interface ConfigChange {
  readonly topic: string;
  readonly configs: readonly ConfigEntry[];
}

/** Changes the named settings of topics and no others. */
export const alterConfigsApi: Api<readonly ConfigChange[], readonly TopicAnswer[]> = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  version: 0,
  encode: (writer, changes) =>
    writer
      .array(changes, ({ topic, configs }) =>
        writer
          .int8(TOPIC_RESOURCE)
          .string(topic)
          .array(configs, ({ name, value }) =>
            writer
              .string(name)
              .int8(value === null ? DELETE : SET)
              .string(value),
          ),
      )
      .boolean(false),
  decode: (reader) => {
    reader.int32();
    return reader.array(() => {
      const [errorCode, message] = [reader.int16(), reader.nullableString()];
      reader.int8();
      return { errorCode, message, topic: reader.string() };
    });
  },
};

export interface OffsetBefore {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export const deleteRecordsApi: Api<
  { readonly before: readonly OffsetBefore[]; readonly timeoutMs: number },
  readonly { readonly topic: string; readonly partition: number; readonly errorCode: number }[]
> = {
  name: 'DeleteRecords',
  key: 21,
  version: 1,
  encode: (writer, { before, timeoutMs }) =>
    writer
      .array(byTopic(before), ({ topic, partitions }) =>
        writer.string(topic).array(partitions, ({ partition, offset }) => writer.int32(partition).int64(offset)),
      )
      .int32(timeoutMs),
  decode: (reader) => {
    reader.int32();
    return flatTopics(
      reader.array(() => ({
        topic: reader.string(),
        partitions: reader.array(() => {
          const partition = reader.int32();
          reader.int64();
          return { partition, errorCode: reader.int16() };
        }),
      })),
    );
  },
};
