import { type Api, byTopic, flatTopics } from './api.ts';
import type { GroupIdentity, OffsetCommitAnswer, OffsetToCommit } from './offset-commit.ts';

/** A producer as brokers know it. The id is −1n before it has one. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string;
}

export type InitProducerIdAnswer = ProducerIdentity & { readonly errorCode: number };

/** Gives a producer its id. With a transactional id it ends the open transaction and fences earlier producers. */
export const initProducerIdApi: Api<
  { readonly transactionalId: string | null; readonly timeoutMs: number },
  InitProducerIdAnswer
> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  flexible: true,
  encode: (writer, { transactionalId, timeoutMs }) =>
    writer.compactString(transactionalId).int32(timeoutMs).bigint64(-1n).int16(-1).tags(),
  decode: (reader) => {
    reader.int32();
    return { errorCode: reader.int16(), producerId: reader.bigint64(), producerEpoch: reader.int16() };
  },
};

export const addPartitionsToTxnApi: Api<
  TransactionIdentity & { readonly partitions: readonly { readonly topic: string; readonly partition: number }[] },
  readonly OffsetCommitAnswer[]
> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  version: 2,
  encode: (writer, request) =>
    writer
      .string(request.transactionalId)
      .bigint64(request.producerId)
      .int16(request.producerEpoch)
      .array(byTopic(request.partitions), ({ topic, partitions }) =>
        writer.string(topic).array(partitions, ({ partition }) => writer.int32(partition)),
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

export const addOffsetsToTxnApi: Api<TransactionIdentity & { readonly groupId: string }, number> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  version: 2,
  encode: (writer, request) =>
    writer
      .string(request.transactionalId)
      .bigint64(request.producerId)
      .int16(request.producerEpoch)
      .string(request.groupId),
  decode: (reader) => {
    reader.int32();
    return reader.int16();
  },
};

/** Commits offsets as part of the transaction. A stale generation is refused. */
export const txnOffsetCommitApi: Api<
  TransactionIdentity & GroupIdentity & { readonly offsets: readonly OffsetToCommit[] },
  readonly OffsetCommitAnswer[]
> = {
  name: 'TxnOffsetCommit',
  key: 28,
  version: 3,
  flexible: true,
  encode: (writer, request) =>
    writer
      .compactString(request.transactionalId)
      .compactString(request.groupId)
      .bigint64(request.producerId)
      .int16(request.producerEpoch)
      .int32(request.generation)
      .compactString(request.memberId)
      .compactString(request.instanceId)
      .compactArray(byTopic(request.offsets), ({ topic, partitions }) =>
        writer
          .compactString(topic)
          .compactArray(partitions, ({ partition, offset, leaderEpoch, metadata }) =>
            writer
              .int32(partition)
              .int64(offset)
              .int32(leaderEpoch ?? -1)
              .compactString(metadata ?? '')
              .tags(),
          )
          .tags(),
      )
      .tags(),
  decode: (reader) => {
    reader.int32();
    const topics = reader.compactArray(() => {
      const topic = reader.compactString();
      const partitions = reader.compactArray(() => {
        const answer = { partition: reader.int32(), errorCode: reader.int16() };
        reader.tags();
        return answer;
      });
      reader.tags();
      return { topic, partitions };
    });
    return flatTopics(topics);
  },
};

export const endTxnApi: Api<TransactionIdentity & { readonly commit: boolean }, number> = {
  name: 'EndTxn',
  key: 26,
  version: 2,
  encode: (writer, request) =>
    writer
      .string(request.transactionalId)
      .bigint64(request.producerId)
      .int16(request.producerEpoch)
      .boolean(request.commit),
  decode: (reader) => {
    reader.int32();
    return reader.int16();
  },
};

/** The state of a transaction, by Kafka's name: `Ongoing`, `PrepareCommit`, `CompleteCommit` and others. */
export const describeTransactionApi: Api<
  { readonly transactionalId: string },
  { readonly errorCode: number; readonly state: string }
> = {
  name: 'DescribeTransactions',
  key: 65,
  version: 0,
  flexible: true,
  encode: (writer, { transactionalId }) =>
    writer.compactArray([transactionalId], (id) => writer.compactString(id)).tags(),
  decode: (reader) => {
    reader.int32();
    const states = reader.compactArray(() => {
      const errorCode = reader.int16();
      reader.compactString();
      const state = reader.compactString();
      for (const skip of [() => reader.int32(), () => reader.int64(), () => reader.int64(), () => reader.int16()])
        skip();
      reader.compactArray(() => {
        reader.compactString();
        reader.compactArray(() => reader.int32());
        reader.tags();
      });
      reader.tags();
      return { errorCode, state };
    });
    return states[0] ?? { errorCode: 0, state: '' };
  },
};
