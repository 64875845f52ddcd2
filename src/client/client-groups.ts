import { ConfigError } from '../errors.ts';
import { storesOf } from '../log/offset-mark.ts';
import type { TopicPartition, Transport } from '../log/transport.ts';
import { show } from '../options/option-checks.ts';

/** Where a group stands in a partition: the offset that is read next. @public */
export interface GroupOffset extends TopicPartition {
  readonly offset: number;
}

/** A group of `client.records`, or an application by its `applicationId`. @public */
export interface GroupDescription {
  readonly name: string;
  /** Whether somebody reads for it now: its offsets cannot be set meanwhile. */
  readonly active: boolean;
  /** All that it has committed. */
  readonly offsets: readonly GroupOffset[];
  /**
   * Stores of an application that hold what was made of the records before these offsets, as far as the log knows: such an
   * application cannot simply be moved, see `ERR_OFFSET_BEHIND_STATE`.
   */
  readonly stores: readonly string[];
}

/** What is known of groups and applications. @public */
export interface ClientGroups {
  /** Names of those that have committed something or have members, in ascending order, as far as the log shows them. */
  list(): Promise<readonly string[]>;
  /** `undefined` for a group that has no committed offsets and has no members. */
  describe(group: string): Promise<GroupDescription | undefined>;
  /**
   * Forgets what a group has committed; of an application on the embedded log also its stores, with the same write. It starts as
   * for the first time then. On Kafka the changelogs of an application are topics, and stay. Nothing where there is nothing.
   *
   * @throws ConfigError `ERR_GROUP_ACTIVE`
   */
  delete(group: string): Promise<void>;
}

/** @param live - The open transport. @throws `ERR_CLOSED` after that. */
export function clientGroups(live: () => Transport): ClientGroups {
  return {
    list: async () => [...(await live().groups())].sort(),
    delete: async (name) => live().deleteGroup(checked(name)),
    describe: async (given) => {
      const name = checked(given);
      const facts = await live().describeGroup(name);
      if (facts === undefined) return undefined;
      const signed = facts.offsets.flatMap((offset) => [...(storesOf(offset) ?? [])]);
      return {
        name,
        active: facts.active,
        offsets: facts.offsets
          .map(({ offset, partition, topic }) => ({ topic, partition, offset }))
          .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)),
        stores: [...new Set([...facts.stores, ...signed])].sort(),
      };
    },
  };
}

function checked(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new ConfigError('ERR_OPTION', `${show(name)} is not a group name`, { hint: 'give the name as a string' });
}
