import type { EmittedRow } from '../../dataflow/emitted-row.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import type { InputOrigin, KeyGuard, Placed } from '../../dataflow/task-context.ts';
import { ConfigError } from '../../errors.ts';
import { show } from '../../options/option-checks.ts';
import { partitionForKey } from '../../protocol/partitioner.ts';
import type { Serde } from '../../serdes/serde.ts';

/** How many first records of a step are all checked, so that a mistake shows at once. */
const FIRST = 256;
/** After that one record in this many is checked; a prime, so that rotating keys cannot evade it. */
const ONE_IN = 499;

/** What a guard needs from its task. */
export interface GuardedTask {
  readonly partition: number;
  /** See `TaskContext.row`. */
  readonly row: EmittedRow | undefined;
  origin(): InputOrigin;
}

/**
 * Detects that a plain RxJS operator has replaced the key of a record: the record is then in the partition of its old
 * key, and its new key would be counted in several tasks.
 *
 * What counts is the key with which the record was read. Records that their producer placed elsewhere are ignored:
 * either the key has not changed, or the old key is not where murmur2 would put it either, which proves nothing.
 */
class SampledKeyGuard implements KeyGuard {
  readonly #task: GuardedTask;
  readonly #partitions: number;
  readonly #serde: Serde<unknown>;
  #seen = 0;

  constructor(task: GuardedTask, partitions: number, serde: Serde<unknown>) {
    this.#task = task;
    this.#partitions = partitions;
    this.#serde = serde;
  }

  check(record: Placed): number {
    this.#seen += 1;
    const { key } = record;
    if (key !== null && key !== undefined) this.#judge(record, key);
    return this.#seen < FIRST ? 0 : ONE_IN - 1;
  }

  #judge(record: Placed, key: NonNullable<unknown>): void {
    const { partition, row } = this.#task;
    const rowKey = row?.kept?.key;
    const origin = this.#task.origin();
    // Some operators emit a value that they held from an earlier record, about which nothing is known any more.
    if (rowKey === undefined && (record.offset !== origin.offset || record.topic !== origin.topic)) return;
    let now: Uint8Array;
    let before: Uint8Array | null;
    try {
      now = this.#serde.serialize(key);
      before = rowKey === undefined ? this.#written(origin.key) : this.#serde.serialize(rowKey);
    } catch {
      // The step will report it with a better message.
      return;
    }
    if (before !== null && same(now, before)) return;
    const belongs = partitionForKey(now, this.#partitions);
    if (belongs === partition) return;
    const read = rowKey === undefined ? origin.key : before;
    if (read !== null && partitionForKey(read, this.#partitions) !== partition) return;
    const old = before === null ? 'without a key' : `with the key ${show(this.#serde.deserialize(before))}`;
    throw new ConfigError(
      'ERR_KEY_CHANGED',
      `the key ${show(key)} belongs in partition ${belongs} of ${this.#partitions}, but its record is in partition ` +
        `${partition}, where it was read ${old}`,
      {
        hint:
          'an operator in between replaced the key: choose keys with keyBy(…) and pipe the records through(topic), which puts ' +
          'them where their keys belong',
      },
    );
  }

  /** Key bytes as this serde would write them: another producer may write the same JSON with different spacing. */
  #written(key: Uint8Array | null): Uint8Array | null {
    return key === null ? null : this.#serde.serialize(this.#serde.deserialize(key));
  }
}

/** The guard of a step of a task; `undefined` if there is only one partition. */
export function keyGuardOf(
  task: GuardedTask,
  [input]: readonly TopicUse[],
  partitionsOf: (topic: string) => number,
  serde: Serde<unknown> | undefined,
): KeyGuard | undefined {
  const partitions = input === undefined ? 1 : partitionsOf(input.name);
  return partitions === 1 || serde === undefined ? undefined : new SampledKeyGuard(task, partitions, serde);
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
