import type { Api } from './api.ts';
import type { GroupIdentity } from './offset-commit.ts';

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty before the coordinator has given one. */
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly protocolType: string;
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly metadata: Uint8Array;
}

export interface JoinGroupResponse {
  readonly errorCode: number;
  readonly generation: number;
  /** The name of the protocol that all members speak. */
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  /** All members, for the leader only. */
  readonly members: readonly JoinedMember[];
}

export const joinGroupApi: Api<JoinGroupRequest, JoinGroupResponse> = {
  name: 'JoinGroup',
  key: 11,
  version: 5,
  encode: (writer, request) =>
    writer
      .string(request.groupId)
      .int32(request.sessionTimeoutMs)
      .int32(request.rebalanceTimeoutMs)
      .string(request.memberId)
      .string(request.instanceId)
      .string(request.protocolType)
      .array(request.protocols, ({ name, metadata }) => writer.string(name).bytes(metadata)),
  decode: (reader) => {
    reader.int32();
    const [errorCode, generation] = [reader.int16(), reader.int32()];
    const protocol = reader.string();
    const [leader, memberId] = [reader.string(), reader.string()];
    const members = reader.array(() => {
      const id = reader.string();
      reader.nullableString();
      return { memberId: id, metadata: reader.bytes() };
    });
    return { errorCode, generation, protocol, leader, memberId, members };
  },
};

export const syncGroupApi: Api<
  GroupIdentity & { readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[] },
  { readonly errorCode: number; readonly assignment: Uint8Array }
> = {
  name: 'SyncGroup',
  key: 14,
  version: 3,
  encode: (writer, request) =>
    writer
      .string(request.groupId)
      .int32(request.generation)
      .string(request.memberId)
      .string(request.instanceId)
      .array(request.assignments, ({ memberId, assignment }) => writer.string(memberId).bytes(assignment)),
  decode: (reader) => {
    reader.int32();
    return { errorCode: reader.int16(), assignment: reader.bytes() };
  },
};

export const heartbeatApi: Api<GroupIdentity, number> = {
  name: 'Heartbeat',
  key: 12,
  version: 3,
  encode: (writer, request) =>
    writer.string(request.groupId).int32(request.generation).string(request.memberId).string(request.instanceId),
  decode: (reader) => {
    reader.int32();
    return reader.int16();
  },
};

export const leaveGroupApi: Api<{ readonly groupId: string; readonly memberId: string }, number> = {
  name: 'LeaveGroup',
  key: 13,
  version: 3,
  encode: (writer, { groupId, memberId }) =>
    writer.string(groupId).array([memberId], (id) => writer.string(id).string(null)),
  decode: (reader) => {
    reader.int32();
    return reader.int16();
  },
};
