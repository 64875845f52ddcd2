import type { TopicUse } from '../../dataflow/node.ts';
import { ConfigError, FatalError } from '../../errors.ts';
import { checkPartitionCount, unknownTopic } from '../../log/known-topic.ts';
import { deadLetterConfig } from '../../log/letter-config.ts';
import { isDeadLetter } from '../../log/record-failures.ts';
import type { KnownTopic, NewTopic, TopicConfig, Transport } from '../../log/transport.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import { needsKeys } from '../../plan/found-topics.ts';
import { keysWouldMove } from '../../plan/keys-would-move.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Topology } from '../../plan/topology.ts';
import { changelogTopic } from './changelog.ts';
import { withOwnTopics, writtenAndRead } from './own-topics.ts';
import { claimTopics } from './topic-owners.ts';

/** Every topic of an application, by name. */
export type TopicsInUse = ReadonlyMap<string, KnownTopic>;

/**
 * Makes sure that every topic of an application exists before its first record: sources exist (or declare their number
 * of partitions and are created), targets and shuffles are created, and the topics of a stage are co-partitioned. All
 * topics are looked up at once and missing ones are created at once, so that thousands of topics are fast.
 *
 * @param before - The topics as of the previous look-up, if any: a source that was deleted since is not recreated.
 * @throws FatalError `ERR_UNKNOWN_TOPIC`; ConfigError `ERR_TOPIC_OWNED`, `ERR_PARTITION_COUNT`, `ERR_NOT_COPARTITIONED`.
 */
export async function setUpTopics(
  { globals, stages }: Pick<Topology, 'globals' | 'stages'>,
  transport: Transport,
  onRecordError: RecordPolicy,
  applicationId: string,
  before?: TopicsInUse,
): Promise<TopicsInUse> {
  const setup = new TopicSetup(withOwnTopics({ globals, stages }, applicationId), transport);
  const deadLetters = deadLettersOf([...stages.flatMap(({ inputs }) => inputs), ...globals], onRecordError);
  const changelogs = transport.capabilities.stateWithLog ? [] : changelogsOf(stages, applicationId);
  await setup.existing(
    globals,
    [...deadLetters, ...changelogs].map(({ name }) => name),
  );
  const own = writtenAndRead({ stages });
  await claimTopics(own, setup.found, applicationId, transport);
  await setup.sources([...stages.flatMap(({ inputs }) => inputs), ...globals], before);
  await setup.targets();
  // Another application may have created them first.
  await claimTopics(own, setup.found, applicationId, transport);
  await setup.create(deadLetters);
  if (before !== undefined) setup.checkStateful(before);
  setup.checkCoPartitioning();
  await setup.changelogs(changelogs);
  return setup.found;
}

/** The changelog topic of a store, and the stage that it belongs to. */
interface ChangelogUse {
  readonly name: string;
  readonly stage: Stage;
}

function changelogsOf(stages: readonly Stage[], applicationId: string): ChangelogUse[] {
  return stages.flatMap((stage) =>
    stage.stores.map(({ name }) => ({ name: changelogTopic(applicationId, name), stage })),
  );
}

function deadLettersOf(uses: readonly TopicUse[], fallback: RecordPolicy): NewTopic[] {
  const wanted = new Map<string, NewTopic>();
  for (const { onRecordError: policy = fallback } of uses) {
    if (!isDeadLetter(policy) || wanted.has(policy.deadLetter)) continue;
    wanted.set(policy.deadLetter, { name: policy.deadLetter, partitions: 1, config: deadLetterConfig(policy) });
  }
  return [...wanted.values()];
}

class TopicSetup {
  readonly found = new Map<string, KnownTopic>();
  /** Partition counts of topics to be created. */
  readonly #planned = new Map<string, number>();
  readonly #stages: readonly Stage[];
  readonly #transport: Transport;
  /** The stage that reads a topic, by topic; there is only one. */
  readonly #readers: ReadonlyMap<string, Stage>;
  /** The stages that write a topic, by topic. */
  readonly #writers = new Map<string, Stage[]>();

  constructor(stages: readonly Stage[], transport: Transport) {
    this.#stages = stages;
    this.#transport = transport;
    this.#readers = new Map(stages.flatMap((stage) => stage.inputs.map(({ name }) => [name, stage])));
    for (const stage of stages) {
      for (const { name } of stage.outputs) {
        const writers = this.#writers.get(name);
        if (writers === undefined) this.#writers.set(name, [stage]);
        else writers.push(stage);
      }
    }
  }

  async existing(globals: readonly TopicUse[], more: readonly string[]): Promise<void> {
    const uses = [...this.#stages.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]), ...globals];
    await this.#lookUp([...uses.map(({ name }) => name), ...more]);
    // Every use, because a topic may be declared in several places.
    for (const use of uses) {
      const description = this.found.get(use.name);
      if (description !== undefined) checkPartitionCount(use, description);
    }
  }

  async sources(uses: readonly TopicUse[], before: TopicsInUse | undefined): Promise<void> {
    const missing = new Map<string, NewTopic>();
    for (const { config = {}, name, partitions } of uses) {
      if (this.found.has(name) || this.#writers.has(name)) continue;
      if (partitions === undefined || before?.has(name) === true) throw await unknownTopic(this.#transport, name);
      missing.set(name, { name, partitions, config });
    }
    await this.create([...missing.values()]);
  }

  /** Shuffles feed stages that write further topics, so counts are propagated until none is missing. */
  async targets(): Promise<void> {
    const missing = new Map<string, TopicUse>();
    for (const use of this.#stages.flatMap(({ outputs }) => outputs)) {
      if (!this.found.has(use.name)) missing.set(use.name, use);
    }
    const planned: NewTopic[] = [];
    const plan = ({ config = {}, name }: TopicUse, partitions: number): void => {
      this.#planned.set(name, partitions);
      planned.push({ name, partitions, config });
      missing.delete(name);
    };
    while (missing.size > 0) {
      const before = missing.size;
      for (const use of missing.values()) {
        const count = use.partitions ?? this.#wanted(use.name);
        if (count !== undefined) plan(use, count);
      }
      // Topics that feed each other: use what is known about them.
      if (missing.size === before) {
        const [first] = [...missing.values()].sort((left, right) => this.#known(right.name) - this.#known(left.name));
        if (first !== undefined) plan(first, this.#known(first.name));
      }
    }
    await this.create(planned);
  }

  /**
   * The partition of a key depends on the number of partitions, so when that grows, the state of a key is left behind.
   */
  checkStateful(before: TopicsInUse): void {
    for (const stage of this.#stages) {
      if (stage.stores.length === 0) continue;
      for (const { name } of stage.inputs) {
        const [was, is] = [before.get(name)?.partitions, this.found.get(name)?.partitions];
        if (was !== undefined && is !== undefined && was !== is) throw keysWouldMove(stage, was, is, { topic: name });
      }
    }
  }

  checkCoPartitioning(): void {
    for (const stage of this.#stages) {
      const { name } = stage;
      // If no step needs keys, topics found by a pattern may have any number of partitions.
      const inputs = needsKeys(stage) ? stage.inputs : stage.inputs.filter(({ foundBy }) => foundBy === undefined);
      const counts = inputs.map((use) => `${use.name} has ${this.found.get(use.name)?.partitions}`);
      if (new Set(inputs.map((use) => this.found.get(use.name)?.partitions)).size < 2) continue;
      throw new ConfigError(
        'ERR_NOT_COPARTITIONED',
        `topics that are used together have different numbers of partitions: ${counts.join(', ')}`,
        {
          stage: name,
          hint: 'send one of them through(topic) with as many partitions as the other, or delete it and create it with that number',
        },
      );
    }
  }

  /** One compacted topic per store, with a partition per task. */
  async changelogs(uses: readonly ChangelogUse[]): Promise<void> {
    const wanted = uses.map(({ name, stage }) => ({ stage, name, partitions: this.#most(stage.inputs) ?? 1 }));
    // Said, whatever the broker's default is: a store that a process still has is brought forward by them.
    const config: TopicConfig = { cleanup: 'compact', tombstoneMs: TOMBSTONE_MS };
    await this.create(wanted.map(({ name, partitions }) => ({ name, partitions, config })));
    for (const { name, partitions, stage } of wanted) {
      const found = this.found.get(name) as KnownTopic;
      if (found.partitions === partitions) continue;
      throw keysWouldMove(stage, found.partitions, partitions, { topic: name });
    }
  }

  /** Makes topics that are not there, as far as nobody else does meanwhile. */
  async create(topics: readonly NewTopic[]): Promise<void> {
    const missing = topics.filter(({ name }) => !this.found.has(name));
    if (missing.length === 0) return;
    await this.#transport.topics.createAll(missing);
    await this.#lookUp(missing.map(({ name }) => name));
    for (const { name } of missing) {
      if (!this.found.has(name)) throw new FatalError('ERR_UNKNOWN_TOPIC', `topic ${name} could not be created`);
    }
  }

  async #lookUp(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    for (const [name, topic] of await this.#transport.topics.describeAll([...new Set(names)]))
      this.found.set(name, topic);
  }

  /**
   * A shuffle adopts the number of the topics that it is joined with. Shuffles that are joined with each other all take that
   * of the largest stage that writes one of them.
   */
  #wanted(name: string): number | undefined {
    const together = this.#readers.get(name)?.inputs ?? [];
    const beside = this.#most(together.filter((use) => use.name !== name));
    if (beside !== undefined) return beside;
    const counts = this.#written(name);
    return counts.includes(undefined) ? undefined : Math.max(...(counts as number[]));
  }

  /** What is known of the number that a shuffle wants, before all of it is. */
  #known(name: string): number {
    return Math.max(1, ...this.#written(name).filter((count) => count !== undefined));
  }

  /** The partitions of each stage that writes a topic, or one that is read together with it. */
  #written(name: string): (number | undefined)[] {
    const together = this.#readers.get(name)?.inputs.map((use) => use.name) ?? [name];
    return together.flatMap((each) => (this.#writers.get(each) ?? []).map(({ inputs }) => this.#most(inputs)));
  }

  #most(uses: readonly TopicUse[]): number | undefined {
    let most: number | undefined;
    for (const { name, partitions } of uses) {
      const count = this.found.get(name)?.partitions ?? this.#planned.get(name) ?? partitions;
      if (count !== undefined && (most === undefined || count > most)) most = count;
    }
    return most;
  }
}
