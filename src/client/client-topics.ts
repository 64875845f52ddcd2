import type { TopicUse } from '../dataflow/node.ts';
import { ConfigError } from '../errors.ts';
import { nameHash } from '../log/name-hash.ts';
import type { TopicAdmin, TopicConfig, TopicDescription, Transport } from '../log/transport.ts';
import { checkNames, type OptionNames, show } from '../options/option-checks.ts';
import { TOPIC_CONFIG } from '../options/topic-config.ts';

/** A topic by its name, or what `topic(…)` or `table(…)` returned. @public */
export type TopicName = string | { readonly name: string };

/** Options of a new topic. @public */
export interface CreateTopicOptions {
  /** Number of partitions (default: as the topic was declared, else 1). */
  readonly partitions?: number;
  /** Configuration. Fields given here override those of the topic's declaration. */
  readonly config?: TopicConfig;
  /** Do nothing if the topic already exists. */
  readonly ifMissing?: boolean;
}

const CREATE_OPTIONS: OptionNames<CreateTopicOptions> = { partitions: true, config: true, ifMissing: true };

/** Administration of topics. Every call rejects with a typed error that names the topic. @public */
export interface ClientTopics {
  /** Names in ascending order. */
  list(): Promise<readonly string[]>;
  /** `undefined` if the topic does not exist. */
  describe(topic: TopicName): Promise<TopicDescription | undefined>;
  /**
   * @throws ConfigError `ERR_TOPIC_EXISTS` unless `ifMissing`; `ERR_TOPIC_NAME` for a name outside `[a-zA-Z0-9._-]{1,249}`;
   * `ERR_PARTITION_COUNT` for less than one partition.
   */
  create(topic: TopicName, options?: CreateTopicOptions): Promise<void>;
  /**
   * Deletes a topic with its records and the offsets that groups have committed for it. @throws FatalError
   * `ERR_UNKNOWN_TOPIC`
   */
  delete(topic: TopicName): Promise<void>;
  /**
   * Increases the number of partitions. Keys can move: the records of one key may then be in two partitions.
   *
   * @throws ConfigError `ERR_PARTITION_COUNT` if the number would decrease.
   */
  addPartitions(topic: TopicName, total: number): Promise<void>;
  /** Changes the given fields. */
  configure(topic: TopicName, config: TopicConfig): Promise<void>;
  /**
   * Releases a topic from the application that owns it because it writes and reads it (`through`). The next application
   * that does so becomes the owner, with the records that are still there. Use this if the application is gone for good
   * or has a new name.
   *
   * @throws FatalError `ERR_UNKNOWN_TOPIC`; ConfigError `ERR_GROUP_ACTIVE` while that application runs: both would process the
   * records of each other
   */
  release(topic: TopicName): Promise<void>;
  /** Deletes the records before an offset; reading below it is then out of range. */
  deleteRecords(
    topic: TopicName,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void>;
}

/** The name of a topic. @throws ConfigError `ERR_OPTION` */
export function nameOf(topic: TopicName): string {
  const name = typeof topic === 'string' ? topic : topic?.name;
  if (typeof name === 'string') return name;
  throw new ConfigError('ERR_OPTION', `${show(topic)} is not a topic`, {
    hint: 'give a name, or what topic(…) returned',
  });
}

/**
 * @param live - Returns the open transport; throws `ERR_CLOSED` once the client is closed.
 * @param changed - Called after a topic has changed.
 */
export function clientTopics(live: () => Transport, changed: (name: string) => void): ClientTopics {
  const admin = (): TopicAdmin => live().topics;
  const change = async (topic: TopicName, work: (name: string) => Promise<void>): Promise<void> => {
    const name = nameOf(topic);
    await work(name);
    changed(name);
  };
  return {
    list: async () => admin().list(),
    describe: async (topic) => admin().describe(nameOf(topic)),
    create: (topic, options = {}) =>
      change(topic, (name) => {
        checkNames('create', options, CREATE_OPTIONS);
        checkNames('create: config', options.config ?? {}, TOPIC_CONFIG);
        const { config, partitions } = declared(topic);
        return admin().create(name, {
          ...(partitions === undefined ? {} : { partitions }),
          ...options,
          config: { ...config, ...options.config },
        });
      }),
    delete: (topic) => change(topic, (name) => admin().delete(name)),
    addPartitions: (topic, total) => change(topic, (name) => admin().addPartitions(name, total)),
    configure: (topic, config) =>
      change(topic, (name) => {
        checkNames('configure', config, TOPIC_CONFIG);
        return admin().configure(name, config);
      }),
    release: (topic) =>
      change(topic, async (name) => {
        await checkIdle(name, live());
        return admin().release(name);
      }),
    deleteRecords: (topic, before) => change(topic, (name) => admin().deleteRecords(name, before)),
  };
}

/** @throws ConfigError `ERR_GROUP_ACTIVE` if the application that owns a topic runs */
async function checkIdle(topic: string, log: Transport): Promise<void> {
  const { claim, owner = claim } = (await log.topics.describe(topic))?.config ?? {};
  if (owner === undefined) return;
  // The mark is a hash of the name. Who may not list groups has to know.
  const groups = await log.groups().catch(() => []);
  const application = groups.find((name) => nameHash(name) === owner);
  if (application === undefined || (await log.describeGroup(application))?.active !== true) return;
  throw new ConfigError('ERR_GROUP_ACTIVE', `topic ${topic} belongs to application ${application}, which is running`, {
    topic,
    hint: 'stop it first: it would process what another owner writes, and the other way round',
  });
}

/** What `topic(…)` or `table(…)` declares about a topic to create. */
function declared(topic: TopicName): Pick<TopicUse, 'partitions' | 'config'> {
  if (typeof topic !== 'object' || !('use' in topic)) return {};
  return (topic as { readonly use?: TopicUse }).use ?? {};
}
