import type { Handler } from './broker.ts';

const NEVER = 1000;
type Entry = [number, { readonly versions: readonly number[]; readonly flexible: number; readonly handle: Handler }];

const metadata: Handler = (reader, writer, broker) => {
  // Null, which asks for all topics, looks like none here: nobody who is simulated asks for all.
  const wanted = reader.compactArray(() => {
    reader.uuid();
    const name = reader.compactString();
    reader.tags();
    return name;
  });
  writer
    .int32(0)
    .compactArray(broker.nodes, (node) => {
      const { host, port } = broker.addressOf(node);
      writer.int32(node).compactString(host).int32(port).compactString(null).tags();
    })
    .compactString('model')
    .int32(1)
    .compactArray(wanted, (name) => {
      const topic = broker.topics.byName.get(name);
      writer
        .int16(topic === undefined ? 3 : 0)
        .compactString(name)
        .uuid(topic?.id)
        .boolean(false)
        .compactArray([...(topic?.partitions.keys() ?? [])], (partition) => {
          const leader = broker.nodeOf(`${name}/${partition}`);
          writer.int16(0).int32(partition).int32(leader).int32(0);
          for (let list = 0; list < 3; list++) writer.compactArray(list < 2 ? [leader] : [], (id) => writer.int32(id));
          writer.tags();
        })
        .int32(-2_147_483_648)
        .tags();
    })
    .int32(-2_147_483_648)
    .tags();
};

const createTopics: Handler = (reader, writer, broker) => {
  const answers = reader.array(() => {
    const name = reader.string();
    const partitions = reader.int32();
    reader.int16();
    reader.array(() => {
      reader.int32();
      return reader.array(() => reader.int32());
    });
    const configs = reader.array((): readonly [string, string] => [reader.string(), reader.string()]);
    return { name, code: broker.topics.create(name, partitions, configs) };
  });
  writer.int32(0).array(answers, ({ code, name }) => writer.string(name).int16(code).string(null));
};

const deleteTopics: Handler = (reader, writer, broker) => {
  const names = reader.array(() => reader.string());
  writer.int32(0).array(names, (name) => {
    const code = broker.topics.delete(name);
    if (code === 0) broker.groups.forget(name);
    writer.string(name).int16(code);
  });
};

const createPartitions: Handler = (reader, writer, broker) => {
  const answers = reader.array(() => {
    const name = reader.string();
    const total = reader.int32();
    reader.array(() => reader.array(() => reader.int32()));
    return { name, code: broker.topics.grow(name, total) };
  });
  writer.int32(0).array(answers, ({ code, name }) => writer.string(name).int16(code).string(null));
};

const describeConfigs: Handler = (reader, writer, broker) => {
  const wanted = reader.array(() => {
    reader.int8();
    return { name: reader.string(), configs: reader.array(() => reader.string()) };
  });
  writer.int32(0).array(wanted, ({ configs, name }) => {
    const topic = broker.topics.byName.get(name);
    writer
      .int16(topic === undefined ? 3 : 0)
      .string(null)
      .int8(2)
      .string(name);
    writer.array(topic === undefined ? [] : configs, (config) =>
      writer
        .string(config)
        .string(topic === undefined ? null : broker.topics.config(topic, config))
        .boolean(false)
        .int8(0)
        .boolean(false)
        .array([], () => undefined),
    );
  });
};

const alterConfigs: Handler = (reader, writer, broker) => {
  const changes = reader.array(() => {
    reader.int8();
    const name = reader.string();
    const entries = reader.array(() => ({
      name: reader.string(),
      deletes: reader.int8() === 1,
      value: reader.nullableString(),
    }));
    return { name, entries };
  });
  writer.int32(0).array(changes, ({ entries, name }) => {
    const topic = broker.topics.byName.get(name);
    for (const entry of topic === undefined ? [] : entries) {
      if (entry.deletes || entry.value === null) topic?.configs.delete(entry.name);
      else topic?.configs.set(entry.name, entry.value);
    }
    writer
      .int16(topic === undefined ? 3 : 0)
      .string(null)
      .int8(2)
      .string(name);
  });
};

const deleteRecords: Handler = (reader, writer, broker) => {
  const topics = reader.array(() => {
    const name = reader.string();
    return { name, partitions: reader.array(() => ({ partition: reader.int32(), offset: reader.int64() })) };
  });
  writer.int32(0).array(topics, ({ name, partitions }) =>
    writer.string(name).array(partitions, ({ offset, partition }) => {
      const log = broker.topics.partition(name, partition);
      const code = log === undefined ? 3 : offset > log.end || offset < -1 ? 1 : 0;
      if (code === 0) log?.deleteBefore(offset === -1 ? log.end : offset);
      writer
        .int32(partition)
        .int64(code === 0 ? (log?.start ?? -1) : -1)
        .int16(code);
    }),
  );
};

const listOffsets: Handler = (reader, writer, broker, asked) => {
  reader.int32();
  const committed = reader.int8() === 1;
  const topics = reader.array(() => {
    const name = reader.string();
    return { name, partitions: reader.array(() => ({ partition: reader.int32(), time: reader.int64() })) };
  });
  writer.int32(0).array(topics, ({ name, partitions }) =>
    writer.string(name).array(partitions, ({ partition, time }) => {
      const log = broker.topics.partition(name, partition);
      const leads = broker.isFor(`${name}/${partition}`, asked);
      const offset =
        log === undefined || !leads
          ? -1
          : time === -2
            ? log.start
            : time === -1
              ? committed
                ? log.stable
                : log.end
              : log.offsetAt(time, committed);
      writer
        .int32(partition)
        .int16(log === undefined ? 3 : leads ? 0 : 6)
        .int64(-1)
        .int64(offset);
    }),
  );
};

/** What is asked and told of topics. */
export const topicRequests: readonly Entry[] = [
  [3, { versions: [10], flexible: 9, handle: metadata }],
  [2, { versions: [2], flexible: NEVER, handle: listOffsets }],
  [19, { versions: [4], flexible: NEVER, handle: createTopics }],
  [20, { versions: [3], flexible: NEVER, handle: deleteTopics }],
  [21, { versions: [1], flexible: NEVER, handle: deleteRecords }],
  [32, { versions: [2], flexible: NEVER, handle: describeConfigs }],
  [37, { versions: [1], flexible: NEVER, handle: createPartitions }],
  [44, { versions: [0], flexible: NEVER, handle: alterConfigs }],
];
