import { ConfigError } from '../../errors.ts';
import type { Transport } from '../../log/transport.ts';
import type { ReadFrom, ReadUntil } from './read-options.ts';
import { offsetEntries } from './read-plan.ts';

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, number>;

/** The offsets at which reading begins. */
export async function startOffsets(
  transport: Transport,
  from: ReadFrom,
  topic: string,
  partitions: readonly number[],
): Promise<Offsets> {
  if (typeof from === 'string') return transport.offsets(topic, from, partitions);
  if ('time' in from) return transport.offsets(topic, { time: Number(from.time) }, partitions);
  if ('offset' in from) return new Map(partitions.map((partition) => [partition, from.offset]));
  return named(from.offsets, topic, partitions, () => transport.offsets(topic, 'earliest', partitions));
}

/** The offsets before which reading ends; infinity where it does not end. */
export async function endOffsets(
  transport: Transport,
  until: ReadUntil | undefined,
  topic: string,
  partitions: readonly number[],
): Promise<Offsets> {
  if (until === undefined) return new Map(partitions.map((partition) => [partition, Number.POSITIVE_INFINITY]));
  if (until === 'end') return transport.offsets(topic, 'latest', partitions);
  if ('time' in until) return transport.offsets(topic, { time: Number(until.time) }, partitions);
  if ('offset' in until) return new Map(partitions.map((partition) => [partition, until.offset]));
  return named(until.offsets, topic, partitions, () => transport.offsets(topic, 'latest', partitions));
}

async function named(
  offsets: ReadonlyMap<number, number> | readonly number[],
  topic: string,
  partitions: readonly number[],
  rest: () => Promise<Offsets>,
): Promise<Offsets> {
  const entries = offsetEntries(offsets);
  const wrong = entries.find(([partition]) => !partitions.includes(partition));
  if (wrong !== undefined) throw unknownPartition(topic, wrong[0], partitions);
  if (entries.length === partitions.length) return new Map(entries);
  return new Map([...(await rest()), ...entries]);
}

/** @throws ConfigError `ERR_UNKNOWN_PARTITION` */
export function checkPartitions(
  topic: string,
  wanted: readonly number[] | undefined,
  count: number,
): readonly number[] {
  const all = Array.from({ length: count }, (_, partition) => partition);
  if (wanted === undefined) return all;
  const wrong = wanted.find((partition) => partition >= count);
  if (wrong !== undefined) throw unknownPartition(topic, wrong, all);
  return [...new Set(wanted)];
}

function unknownPartition(topic: string, partition: number, partitions: readonly number[]): ConfigError {
  return new ConfigError('ERR_UNKNOWN_PARTITION', `partition ${partition} of topic ${topic} is not read`, {
    topic,
    partition,
    hint: `the partitions are ${partitions.join(', ')}`,
  });
}
