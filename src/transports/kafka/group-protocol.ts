import type { TaskSpec, TopicPartition } from '../../runtime/transport.ts';
import { byTopic } from './wire/api.ts';
import { BadResponse, WireReader } from './wire/reader.ts';
import { WireWriter } from './wire/writer.ts';

/** Members of a group understand each other when they name the same protocol. */
export const PROTOCOL_TYPE = 'consumer';
export const PROTOCOL_NAME = 'millrace-tasks-1';

/** What a member tells the leader of its group. */
export interface MemberInfo {
  /** Ids of the tasks that it can run. */
  readonly known: readonly string[];
  /** Ids of the tasks that it has. */
  readonly owned: readonly string[];
  /** The generation in which it had them. */
  readonly generation: number;
  readonly transactionalId: string | null;
  /** Those of all members of that generation. */
  readonly transactionalIds: readonly string[];
}

/** What the leader tells a member. */
export interface TaskAssignment {
  readonly tasks: readonly string[];
  /** Those of all members of this generation. */
  readonly transactionalIds: readonly string[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Subscriptions and assignments have the outer form that all consumers of Kafka use, so that its tools show the partitions
 * of a member; the tasks travel in their user data, as JSON.
 */
export function encodeMember(info: MemberInfo, tasks: readonly TaskSpec[]): Uint8Array {
  const topics = [...new Set(tasks.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)))].sort();
  const writer = new WireWriter();
  writer.int16(0).array(topics, (topic) => writer.string(topic));
  return joined(writer.bytes(encoder.encode(JSON.stringify(info))));
}

export function decodeMember(bytes: Uint8Array): MemberInfo {
  const info = userData(bytes, (reader) => reader.string());
  return {
    known: texts(info['known']),
    owned: texts(info['owned']),
    generation: typeof info['generation'] === 'number' ? info['generation'] : 0,
    transactionalId: typeof info['transactionalId'] === 'string' ? info['transactionalId'] : null,
    transactionalIds: texts(info['transactionalIds']),
  };
}

export function encodeAssignment(assignment: TaskAssignment, partitions: readonly TopicPartition[]): Uint8Array {
  const writer = new WireWriter();
  writer
    .int16(0)
    .array(byTopic(partitions), (each) =>
      writer.string(each.topic).array(each.partitions, ({ partition }) => writer.int32(partition)),
    );
  return joined(writer.bytes(encoder.encode(JSON.stringify(assignment))));
}

/** Empty bytes are the assignment of a member that the leader did not know. */
export function decodeAssignment(bytes: Uint8Array): TaskAssignment {
  if (bytes.length === 0) return { tasks: [], transactionalIds: [] };
  const assignment = userData(bytes, (reader) => [reader.string(), reader.array(() => reader.int32())]);
  return { tasks: texts(assignment['tasks']), transactionalIds: texts(assignment['transactionalIds']) };
}

function userData(bytes: Uint8Array, skip: (reader: WireReader) => unknown): Record<string, unknown> {
  const reader = new WireReader(bytes);
  reader.int16();
  reader.array(() => skip(reader));
  const parsed: unknown = JSON.parse(decoder.decode(reader.bytes()));
  if (typeof parsed !== 'object' || parsed === null) throw new BadResponse('the user data of a group is no object');
  return parsed as Record<string, unknown>;
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

function joined(writer: WireWriter): Uint8Array {
  const pieces = writer.pieces();
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
