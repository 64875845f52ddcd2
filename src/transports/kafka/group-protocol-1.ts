import type { TopicPartition } from '../../log/transport.ts';
import { bytesOf, digestOf, type MemberInfo, type TaskAssignment } from './group-protocol.ts';
import { byTopic } from './wire/api.ts';
import { BadResponse, WireReader } from './wire/reader.ts';
import { WireWriter } from './wire/writer.ts';

/** The previous protocol: user data is JSON. A group uses it as long as it has members that know no other. */
export const OLD_PROTOCOL_NAME = 'millrace-tasks-1';

/** A member whose data is larger than this does not offer the old protocol: such a group could never have worked. */
export const OLD_LIMIT_BYTES: number = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeOldMember({ digest: _, topics, ...info }: MemberInfo): Uint8Array {
  const writer = new WireWriter();
  writer.int16(0).array(topics, (topic) => writer.string(topic));
  return bytesOf(writer.bytes(encoder.encode(JSON.stringify(info))));
}

export function decodeOldMember(bytes: Uint8Array): MemberInfo {
  const { data, topics } = userData(bytes, (reader) => reader.string());
  const known = texts(data['known']);
  return {
    known,
    digest: digestOf(known),
    owned: texts(data['owned']),
    generation: typeof data['generation'] === 'number' ? data['generation'] : 0,
    transactionalId: typeof data['transactionalId'] === 'string' ? data['transactionalId'] : null,
    transactionalIds: texts(data['transactionalIds']),
    epoch: typeof data['epoch'] === 'number' ? data['epoch'] : undefined,
    topics,
  };
}

export function encodeOldAssignment(
  { epoch, tasks, transactionalIds }: TaskAssignment,
  partitions: readonly TopicPartition[],
): Uint8Array {
  const writer = new WireWriter();
  writer
    .int16(0)
    .array(byTopic(partitions), (each) =>
      writer.string(each.topic).array(each.partitions, ({ partition }) => writer.int32(partition)),
    );
  return bytesOf(writer.bytes(encoder.encode(JSON.stringify({ tasks, transactionalIds, epoch }))));
}

export function decodeOldAssignment(bytes: Uint8Array): TaskAssignment {
  if (bytes.length === 0) return { tasks: [], transactionalIds: [], tell: false };
  const { data } = userData(bytes, (reader) => [reader.string(), reader.array(() => reader.int32())]);
  const epoch = typeof data['epoch'] === 'number' ? data['epoch'] : undefined;
  return { tasks: texts(data['tasks']), transactionalIds: texts(data['transactionalIds']), tell: false, epoch };
}

function userData<T>(
  bytes: Uint8Array,
  topic: (reader: WireReader) => T,
): { data: Record<string, unknown>; topics: T[] } {
  const reader = new WireReader(bytes);
  reader.int16();
  const topics = reader.array(() => topic(reader));
  const parsed: unknown = JSON.parse(decoder.decode(reader.bytes()));
  if (typeof parsed !== 'object' || parsed === null) throw new BadResponse('the user data of a group is not an object');
  return { data: parsed as Record<string, unknown>, topics };
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
