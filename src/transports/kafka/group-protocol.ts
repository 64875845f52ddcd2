import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { TaskSpec, TopicPartition } from '../../log/transport.ts';
import { readTasks, writeTasks } from './task-set.ts';
import { byTopic } from './wire/api.ts';
import { BadResponse, WireReader } from './wire/reader.ts';
import { WireWriter } from './wire/writer.ts';

/** Members of a group understand each other when they name the same protocol. */
export const PROTOCOL_TYPE = 'consumer';
export const PROTOCOL_NAME = 'millrace-tasks-2';

/** What a member sends to the leader of its group. */
export interface MemberInfo {
  /** Ids of the tasks that it can run; `undefined` if it only sends the digest of the list. */
  readonly known: readonly string[] | undefined;
  /** The digest of that list. */
  readonly digest: string;
  /** Ids of the tasks that it has. */
  readonly owned: readonly string[];
  /** The generation in which it had them. */
  readonly generation: number;
  readonly transactionalId: string | null;
  /** Transactional ids of the members of that generation. */
  readonly transactionalIds: readonly string[];
  /** The epoch of its last generation, even if it was expelled since; earlier versions do not send one. */
  readonly epoch?: number | undefined;
  /** The topics that it reads, from the coordinator's point of view. */
  readonly topics: readonly string[];
}

/** What the leader sends to a member. */
export interface TaskAssignment {
  readonly tasks: readonly string[];
  /** Transactional ids of all members of this generation, for some of them to remember. */
  readonly transactionalIds: readonly string[];
  /** Whether the leader needs the member's task list. */
  readonly tell: boolean;
  /** Identifies the generation; earlier versions did not send it. */
  readonly epoch?: number | undefined;
}

const VERSION = 1;
/** Upper bound for the user data of a group. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A digest that identifies a list of tasks. */
export function digestOf(known: readonly string[]): string {
  return createHash('sha256')
    .update([...known].sort().join('\n'))
    .digest('base64')
    .slice(0, 16);
}

export const topicsOf = (tasks: readonly TaskSpec[]): string[] =>
  [...new Set(tasks.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)))].sort();

/**
 * Subscriptions and assignments use the standard outer format of Kafka consumers, so that Kafka's tools show the
 * partitions of a member and the coordinator keeps the offsets of their topics. Everything else is in their user data,
 * packed: the coordinator writes the data of all members into one record of at most a megabyte.
 */
export function encodeMember(info: MemberInfo): Uint8Array {
  const body = new WireWriter();
  body.string(info.digest).int32(info.generation).string(info.transactionalId);
  body.array(info.transactionalIds, (id) => body.string(id));
  writeTasks(body, info.owned);
  body.boolean(info.known !== undefined);
  writeTasks(body, info.known ?? []);
  // Earlier versions read no further.
  body.int32(info.epoch ?? 0);
  const writer = new WireWriter();
  writer.int16(0).array(info.topics, (topic) => writer.string(topic));
  return bytesOf(writer.bytes(packed(body)));
}

export function decodeMember(bytes: Uint8Array): MemberInfo {
  const reader = new WireReader(bytes);
  reader.int16();
  const topics = reader.array(() => reader.string());
  const body = unpacked(reader.bytes());
  const digest = body.string();
  const generation = body.int32();
  const transactionalId = body.nullableString();
  const transactionalIds = body.array(() => body.string());
  const owned = readTasks(body);
  const told = body.boolean();
  const tasks = readTasks(body);
  const known = told ? tasks : undefined;
  const epoch = body.ended ? undefined : body.int32() >>> 0 || undefined;
  return { digest, generation, transactionalId, transactionalIds, owned, known, epoch, topics };
}

/** @param partitions - For tools that describe groups; may be empty. */
export function encodeAssignment(assignment: TaskAssignment, partitions: readonly TopicPartition[]): Uint8Array {
  const body = new WireWriter();
  body.boolean(assignment.tell).array(assignment.transactionalIds, (id) => body.string(id));
  writeTasks(body, assignment.tasks);
  // Earlier versions read no further.
  body.int32(assignment.epoch ?? 0);
  const writer = new WireWriter();
  writer
    .int16(0)
    .array(byTopic(partitions), (each) =>
      writer.string(each.topic).array(each.partitions, ({ partition }) => writer.int32(partition)),
    );
  return bytesOf(writer.bytes(packed(body)));
}

/** Empty bytes are the assignment of a member that the leader did not know. */
export function decodeAssignment(bytes: Uint8Array): TaskAssignment {
  if (bytes.length === 0) return { tasks: [], transactionalIds: [], tell: false };
  const reader = new WireReader(bytes);
  reader.int16();
  reader.array(() => [reader.string(), reader.array(() => reader.int32())]);
  const body = unpacked(reader.bytes());
  const tell = body.boolean();
  const transactionalIds = body.array(() => body.string());
  const tasks = readTasks(body);
  const epoch = body.ended ? 0 : body.int32() >>> 0;
  return { tell, transactionalIds, tasks, epoch: epoch || undefined };
}

function packed(body: WireWriter): Uint8Array {
  return Buffer.concat([Uint8Array.of(VERSION), deflateRawSync(bytesOf(body))]);
}

function unpacked(bytes: Uint8Array): WireReader {
  if (bytes[0] !== VERSION) {
    throw new BadResponse(`the user data of a group has version ${bytes[0]}, and this library knows ${VERSION}`);
  }
  return new WireReader(inflateRawSync(bytes.subarray(1), { maxOutputLength: MAX_BYTES }));
}

export function bytesOf(writer: WireWriter): Uint8Array {
  return Buffer.concat(writer.pieces());
}
