import { peekBatchHeader } from '../../../src/protocol/batch-header.ts';
import type { WireReader } from '../../../src/transports/kafka/wire/reader.ts';
import { withAmiss } from './amiss.ts';
import type { Asked, Handler, ModelBroker } from './broker.ts';
import type { Appended, PartitionLog } from './partition-log.ts';

const NEVER = 1000;
type Entry = [number, { readonly versions: readonly number[]; readonly flexible: number; readonly handle: Handler }];

const produce: Handler = (reader, writer, broker, asked) => {
  const transactionalId = reader.nullableString();
  reader.int16();
  reader.int32();
  const topics = reader.array(() => {
    const name = reader.string();
    return { name, partitions: reader.array(() => ({ partition: reader.int32(), batch: reader.bytes() })) };
  });
  writer.array(topics, ({ name, partitions }) =>
    writer.string(name).array(partitions, ({ batch, partition }) => {
      const { baseOffset, errorCode } = write(broker, transactionalId, name, partition, batch, asked);
      writer.int32(partition).int16(errorCode).int64(baseOffset).int64(-1).int64(0);
      writer.array([], () => undefined).string(null);
    }),
  );
  writer.int32(0);
};

function write(
  broker: ModelBroker,
  id: string | null,
  name: string,
  partition: number,
  batch: Uint8Array,
  asked: Asked,
): Appended {
  const amiss = asked.amiss?.hits(partition) === true ? asked.amiss : undefined;
  if (!broker.isFor(`${name}/${partition}`, asked)) return { errorCode: 6, baseOffset: -1 };
  if (amiss?.done === false) return { errorCode: amiss.code, baseOffset: -1 };
  const appended = append(broker, id, name, partition, batch);
  return appended.errorCode === 0 && amiss !== undefined ? { errorCode: amiss.code, baseOffset: -1 } : appended;
}

function append(broker: ModelBroker, id: string | null, name: string, partition: number, batch: Uint8Array): Appended {
  const refused = (errorCode: number): Appended => ({ errorCode, baseOffset: -1 });
  const topic = broker.topics.byName.get(name);
  const log = topic?.partitions[partition];
  if (topic === undefined || log === undefined) return refused(3);
  if (batch.length > Number(broker.topics.config(topic, 'max.message.bytes'))) return refused(10);
  const header = peekBatchHeader(batch, 0);
  if (header === undefined) return refused(2);
  const { producerEpoch, producerId, transactional } = header;
  if (transactional && id === null) return refused(53);
  if (transactional && !log.isOpen(producerId)) {
    log.begins(header);
    const code = broker.transactions.verify(id, producerId, producerEpoch, { partition: `${name}/${partition}` });
    if (code !== 0) return refused(code);
  }
  return log.append(batch);
}

const initProducerId: Handler = (reader, writer, broker, asked) => {
  const id = reader.compactNullableString();
  const timeoutMs = reader.int32();
  let made = { producerId: -1n, producerEpoch: -1 };
  const errorCode = coordinated(broker, id, asked, () => {
    const { errorCode, ...identity } = broker.transactions.init(id, timeoutMs);
    made = identity;
    return errorCode;
  });
  const { producerEpoch, producerId } = errorCode === 0 ? made : { producerId: -1n, producerEpoch: -1 };
  writer.int32(0).int16(errorCode).bigint64(producerId).int16(producerEpoch).tags();
};

const producer = (reader: WireReader) => ({
  id: reader.string(),
  producerId: reader.bigint64(),
  epoch: reader.int16(),
});

/** Does something as the coordinator of a transactional id, if this node is that. */
function coordinated(broker: ModelBroker, id: string | null, asked: Asked, work: () => number): number {
  if (id !== null && !broker.isFor(`1/${id}`, asked)) return 16;
  return withAmiss(asked.amiss, work);
}

const addPartitions: Handler = (reader, writer, broker, asked) => {
  const { epoch, id, producerId } = producer(reader);
  const topics = reader.array(() => ({ name: reader.string(), partitions: reader.array(() => reader.int32()) }));
  const logs = new Map<string, PartitionLog>();
  let unknown = false;
  for (const { name, partitions } of topics) {
    for (const partition of partitions) {
      const log = broker.topics.partition(name, partition);
      if (log === undefined) unknown = true;
      else logs.set(`${name}/${partition}`, log);
    }
  }
  const code = coordinated(broker, id, asked, () =>
    unknown ? 55 : broker.transactions.add(id, producerId, epoch, logs),
  );
  writer.int32(0).array(topics, ({ name, partitions }) =>
    writer.string(name).array(partitions, (partition) => {
      const there = broker.topics.partition(name, partition) !== undefined;
      writer.int32(partition).int16(there ? code : 3);
    }),
  );
};

const addOffsets: Handler = (reader, writer, broker, asked) => {
  const { epoch, id, producerId } = producer(reader);
  const groupId = reader.string();
  const add = (): number => broker.transactions.add(id, producerId, epoch, new Map(), groupId);
  writer.int32(0).int16(coordinated(broker, id, asked, add));
};

const commitOffsets: Handler = (reader, writer, broker, asked) => {
  const id = reader.compactString();
  const groupId = reader.compactString();
  const [producerId, epoch] = [reader.bigint64(), reader.int16()];
  const who = {
    groupId,
    generation: reader.int32(),
    memberId: reader.compactString(),
    instanceId: reader.compactNullableString(),
  };
  const topics = reader.compactArray(() => {
    const topic = reader.compactString();
    const partitions = reader.compactArray(() => {
      const partition = reader.int32();
      const offset = { topic, partition, offset: reader.int64(), leaderEpoch: reader.int32() };
      const metadata = reader.compactString();
      reader.tags();
      return { ...offset, metadata };
    });
    reader.tags();
    return { topic, partitions };
  });
  const known = topics.flatMap(({ partitions }) =>
    partitions.filter(({ partition, topic }) => broker.topics.partition(topic, partition) !== undefined),
  );
  const commit = (): number => {
    const verified = broker.groups.isPending(groupId, producerId, epoch)
      ? 0
      : broker.transactions.verify(id, producerId, epoch, { group: groupId });
    return verified === 0 ? broker.groups.commitInTransaction(who, producerId, epoch, known) : verified;
  };
  const code = broker.isFor(`0/${groupId}`, asked) ? withAmiss(asked.amiss, commit) : 16;
  writer
    .int32(0)
    .compactArray(topics, ({ partitions, topic }) =>
      writer
        .compactString(topic)
        .compactArray(partitions, ({ partition }) => {
          const there = broker.topics.partition(topic, partition) !== undefined;
          writer
            .int32(partition)
            .int16(there ? code : 3)
            .tags();
        })
        .tags(),
    )
    .tags();
};

const endTransaction: Handler = (reader, writer, broker, asked) => {
  const { epoch, id, producerId } = producer(reader);
  const commit = reader.boolean();
  const end = (): number => broker.transactions.end(id, producerId, epoch, commit);
  writer.int32(0).int16(coordinated(broker, id, asked, end));
};

const describeTransactions: Handler = (reader, writer, broker) => {
  const ids = reader.compactArray(() => reader.compactString());
  writer
    .int32(0)
    .compactArray(ids, (id) => {
      const state = broker.transactions.state(id);
      writer
        .int16(state === undefined ? 105 : 0)
        .compactString(id)
        .compactString(state ?? '');
      writer.int32(0).int64(-1).int64(-1).int16(-1);
      writer.compactArray([], () => undefined).tags();
    })
    .tags();
};

/** Producers, transactions, and what is written in them. */
export const writeRequests: readonly Entry[] = [
  [0, { versions: [8], flexible: NEVER, handle: produce }],
  [22, { versions: [4], flexible: 2, handle: initProducerId }],
  [24, { versions: [2], flexible: NEVER, handle: addPartitions }],
  [25, { versions: [2], flexible: NEVER, handle: addOffsets }],
  [26, { versions: [2], flexible: NEVER, handle: endTransaction }],
  [28, { versions: [3], flexible: 3, handle: commitOffsets }],
  [65, { versions: [0], flexible: 0, handle: describeTransactions }],
];
