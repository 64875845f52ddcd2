import type { JoinGroupResponse } from '../../../src/transports/kafka/wire/membership.ts';
import type { GroupIdentity } from '../../../src/transports/kafka/wire/offset-commit.ts';
import type { WireReader } from '../../../src/transports/kafka/wire/reader.ts';
import { withAmiss } from './amiss.ts';
import type { Handler } from './broker.ts';

const NEVER = 1000;
type Entry = [number, { readonly versions: readonly number[]; readonly flexible: number; readonly handle: Handler }];

const identity = (reader: WireReader): GroupIdentity => ({
  groupId: reader.string(),
  generation: reader.int32(),
  memberId: reader.string(),
  instanceId: reader.nullableString(),
});

const findCoordinator: Handler = (reader, writer, broker) => {
  const key = reader.string();
  const kind = reader.int8();
  const node = broker.nodeOf(`${kind}/${key}`);
  const { host, port } = broker.addressOf(node);
  writer.int32(0).int16(0).string(null).int32(node).string(host).int32(port);
};

const joinGroup: Handler = (reader, writer, broker, asked) => {
  const request = {
    groupId: reader.string(),
    sessionTimeoutMs: reader.int32(),
    rebalanceTimeoutMs: reader.int32(),
    memberId: reader.string(),
    instanceId: reader.nullableString(),
    protocolType: reader.string(),
    protocols: reader.array(() => ({ name: reader.string(), metadata: reader.bytes().slice() })),
  };
  if (!broker.isFor(`0/${request.groupId}`, asked)) {
    writer.int32(0).int16(16).int32(-1).string('').string('').string(request.memberId);
    writer.array([], () => undefined);
    return undefined;
  }
  return new Promise((resolve) => {
    broker.groups.join(request, ({ errorCode, generation, leader, memberId, members, protocol }: JoinGroupResponse) => {
      writer.int32(0).int16(errorCode).int32(generation).string(protocol).string(leader).string(memberId);
      writer.array(members, (member) => writer.string(member.memberId).string(null).bytes(member.metadata));
      resolve();
    });
  });
};

const syncGroup: Handler = (reader, writer, broker, asked) => {
  const who = identity(reader);
  const assignments = reader.array(() => ({ memberId: reader.string(), assignment: reader.bytes() }));
  if (!broker.isFor(`0/${who.groupId}`, asked)) {
    writer.int32(0).int16(16).bytes(new Uint8Array(0));
    return undefined;
  }
  return new Promise((resolve) => {
    broker.groups.sync(who, assignments, ({ assignment, errorCode }) => {
      writer.int32(0).int16(errorCode).bytes(assignment);
      resolve();
    });
  });
};

const heartbeat: Handler = (reader, writer, broker, asked) => {
  const who = identity(reader);
  writer.int32(0).int16(broker.isFor(`0/${who.groupId}`, asked) ? broker.groups.heartbeat(who) : 16);
};

const leaveGroup: Handler = (reader, writer, broker, asked) => {
  const groupId = reader.string();
  if (!broker.isFor(`0/${groupId}`, asked)) {
    writer.int32(0).int16(16);
    writer.array([], () => undefined);
    return;
  }
  const members = reader.array(() => {
    const memberId = reader.string();
    reader.nullableString();
    return { memberId, code: broker.groups.leave(groupId, memberId) };
  });
  writer.int32(0).int16(0);
  writer.array(members, ({ code, memberId }) => writer.string(memberId).string(null).int16(code));
};

const offsetCommit: Handler = (reader, writer, broker, asked) => {
  const who = identity(reader);
  const topics = reader.array(() => {
    const topic = reader.string();
    const partitions = reader.array(() => {
      const partition = reader.int32();
      return { topic, partition, offset: reader.int64(), leaderEpoch: reader.int32(), metadata: reader.string() };
    });
    return { topic, partitions };
  });
  const known = topics.flatMap(({ partitions }) =>
    partitions.filter(({ partition, topic }) => broker.topics.partition(topic, partition)),
  );
  const code = broker.isFor(`0/${who.groupId}`, asked)
    ? withAmiss(asked.amiss, () => broker.groups.commit(who, known, asked.stale))
    : 16;
  writer.int32(0).array(topics, ({ partitions, topic }) =>
    writer.string(topic).array(partitions, ({ partition }) => {
      const there = broker.topics.partition(topic, partition) !== undefined;
      writer.int32(partition).int16(there ? code : 3);
    }),
  );
};

const offsetFetch: Handler = (reader, writer, broker, asked) => {
  const groupId = reader.compactString();
  // Null and none look the same here, and nobody asks for none.
  const topics = reader.compactArray(() => {
    const topic = reader.compactString();
    const partitions = reader.compactArray(() => reader.int32());
    reader.tags();
    return partitions.map((partition) => ({ topic, partition }));
  });
  const here = broker.isFor(`0/${groupId}`, asked);
  const stable = reader.boolean();
  const found = here ? broker.groups.committed(groupId, topics.length === 0 ? null : topics.flat(), stable) : [];
  const names = [...new Set(found.map(({ topic }) => topic))];
  writer
    .int32(0)
    .compactArray(names, (name) =>
      writer
        .compactString(name)
        .compactArray(
          found.filter(({ topic }) => topic === name),
          ({ errorCode, leaderEpoch, metadata, offset, partition }) =>
            writer.int32(partition).int64(offset).int32(leaderEpoch).compactString(metadata).int16(errorCode).tags(),
        )
        .tags(),
    )
    .int16(here ? 0 : 16)
    .tags();
};

const listGroups: Handler = (reader, writer, broker) => {
  reader.compactArray(() => reader.compactString());
  writer
    .int32(0)
    .int16(0)
    .compactArray(broker.groups.list(), ({ groupId, state }) =>
      writer.compactString(groupId).compactString('consumer').compactString(state).tags(),
    )
    .tags();
};

/** Coordinators, members and offsets. */
export const groupRequests: readonly Entry[] = [
  [10, { versions: [2], flexible: NEVER, handle: findCoordinator }],
  [11, { versions: [5], flexible: NEVER, handle: joinGroup }],
  [14, { versions: [3], flexible: NEVER, handle: syncGroup }],
  [12, { versions: [3], flexible: NEVER, handle: heartbeat }],
  [13, { versions: [3], flexible: NEVER, handle: leaveGroup }],
  [8, { versions: [7], flexible: NEVER, handle: offsetCommit }],
  [9, { versions: [7], flexible: 6, handle: offsetFetch }],
  [16, { versions: [4], flexible: 3, handle: listGroups }],
];
