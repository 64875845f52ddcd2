import { ConfigError } from '../errors.ts';
import { storesOf } from '../log/offset-mark.ts';
import type { TopicPartition, Transport } from '../log/transport.ts';
import { show } from '../options/option-checks.ts';

/** A group's position in a partition: the offset to read next. @public */
export interface GroupOffset extends TopicPartition {
  readonly offset: number;
}

/** A group of `client.records`, or an application by its `applicationId`. @public */
export interface GroupDescription {
  readonly name: string;
  /** Whether it has members that read now; until they leave, its offsets cannot be set. */
  readonly active: boolean;
  /** All offsets that it has committed. */
  readonly offsets: readonly GroupOffset[];
  /**
   * Stores of an application whose state was built from the records before these offsets, as far as the log knows. You
   * cannot simply set the offsets of such an application; see `ERR_OFFSET_BEHIND_STATE`.
   */
  readonly stores: readonly string[];
}

/** Administration of groups and applications. @public */
export interface ClientGroups {
  /** Names of groups that have committed offsets or members, in ascending order, as far as the log shows them. */
  list(): Promise<readonly string[]>;
  /** `undefined` for a group without committed offsets and members. */
  describe(group: string): Promise<GroupDescription | undefined>;
  /**
   * Deletes the committed offsets of a group, and for an application on the embedded log also its stores, in the same
   * write. Its next start is then like the first. On Kafka the changelogs of an application are topics, which are kept.
   * Does nothing for an unknown group.
   *
   * @throws ConfigError `ERR_GROUP_ACTIVE`
   */
  delete(group: string): Promise<void>;
}

/** @param live - Returns the open transport; throws `ERR_CLOSED` once the client is closed. */
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
