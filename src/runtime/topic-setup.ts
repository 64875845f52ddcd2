import { ConfigError, FatalError, StoreError } from '../errors.ts';
import type { RecordPolicy } from '../record-policy.ts';
import type { TopicUse } from '../topology/node.ts';
import { changelogTopic } from './changelog.ts';
import { checkPartitionCount, unknownTopic } from './known-topic.ts';
import { deadLetterConfig, withOwnTopics } from './own-topics.ts';
import { isDeadLetter } from './record-failures.ts';
import type { Stage } from './stages.ts';
import type { Topology } from './topology.ts';
import type { TopicConfig, TopicDescription, Transport } from './transport.ts';

/**
 * Makes sure that every topic of an application is there before its first record: sources exist (or say how many
 * partitions they want, and are created), targets and shuffles are created, topics of one stage are co-partitioned.
 *
 * @returns Every topic by name.
 * @throws FatalError `ERR_UNKNOWN_TOPIC`; ConfigError `ERR_PARTITION_COUNT`, `ERR_NOT_COPARTITIONED`.
 */
export async function setUpTopics(
  { globals, stages }: Pick<Topology, 'globals' | 'stages'>,
  transport: Transport,
  onRecordError: RecordPolicy,
  applicationId: string,
): Promise<ReadonlyMap<string, TopicDescription>> {
  const setup = new TopicSetup(withOwnTopics({ globals, stages }, applicationId), transport);
  await setup.existing(globals);
  await setup.sources([...stages.flatMap(({ inputs }) => inputs), ...globals]);
  await setup.targets();
  await setup.deadLetters(globals, onRecordError);
  setup.checkCoPartitioning();
  if (!transport.capabilities.stateWithLog) await setup.changelogs(applicationId);
  return setup.found;
}

class TopicSetup {
  readonly found = new Map<string, TopicDescription>();
  readonly #stages: readonly Stage[];
  readonly #transport: Transport;

  constructor(stages: readonly Stage[], transport: Transport) {
    this.#stages = stages;
    this.#transport = transport;
  }

  async existing(globals: readonly TopicUse[]): Promise<void> {
    const uses = this.#stages.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
    for (const use of [...uses, ...globals]) {
      // Each use, because one topic may be declared in several places.
      const description = this.found.get(use.name) ?? (await this.#transport.topics.describe(use.name));
      if (description === undefined) continue;
      this.found.set(use.name, description);
      checkPartitionCount(use, description);
    }
  }

  async sources(uses: readonly TopicUse[]): Promise<void> {
    const written = new Set(this.#stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
    for (const use of uses) {
      if (this.found.has(use.name) || written.has(use.name)) continue;
      if (use.partitions === undefined) throw await unknownTopic(this.#transport, use.name);
      await this.#create(use.name, use.partitions, use.config);
    }
  }

  /** Shuffles feed stages that write further topics, so counts spread until none is missing. */
  async targets(): Promise<void> {
    const missing = new Map<string, TopicUse>();
    for (const use of this.#stages.flatMap(({ outputs }) => outputs)) {
      if (!this.found.has(use.name)) missing.set(use.name, use);
    }
    while (missing.size > 0) {
      const before = missing.size;
      for (const use of missing.values()) {
        const count = use.partitions ?? this.#wanted(use.name);
        if (count === undefined) continue;
        await this.#create(use.name, count, use.config);
        missing.delete(use.name);
      }
      if (missing.size === before) {
        // Topics that only feed each other: nothing says how many partitions they want.
        const [use] = missing.values();
        await this.#create((use as TopicUse).name, 1, (use as TopicUse).config);
        missing.delete((use as TopicUse).name);
      }
    }
  }

  async deadLetters(globals: readonly TopicUse[], fallback: RecordPolicy): Promise<void> {
    const uses = [...this.#stages.flatMap(({ inputs }) => inputs), ...globals];
    const policies = uses.map(({ onRecordError }) => onRecordError ?? fallback);
    for (const policy of policies) {
      if (!isDeadLetter(policy) || this.found.has(policy.deadLetter)) continue;
      const description = await this.#transport.topics.describe(policy.deadLetter);
      if (description === undefined) await this.#create(policy.deadLetter, 1, deadLetterConfig(policy));
      else this.found.set(policy.deadLetter, description);
    }
  }

  checkCoPartitioning(): void {
    for (const { inputs, name } of this.#stages) {
      const counts = inputs.map((use) => `${use.name} has ${this.found.get(use.name)?.partitions}`);
      if (new Set(inputs.map((use) => this.found.get(use.name)?.partitions)).size < 2) continue;
      throw new ConfigError(
        'ERR_NOT_COPARTITIONED',
        `topics that are used together differ in partitions: ${counts.join(', ')}`,
        {
          stage: name,
          hint: 'send one of them through(topic) with as many partitions as the other, or create it anew with that number',
        },
      );
    }
  }

  /** One compacted topic per store, with a partition per task. */
  async changelogs(applicationId: string): Promise<void> {
    for (const { inputs, stores } of this.#stages) {
      const partitions = this.#most(inputs) ?? 1;
      for (const { name } of stores) {
        const topic = changelogTopic(applicationId, name);
        const there = await this.#transport.topics.describe(topic);
        if (there === undefined) await this.#create(topic, partitions, { cleanup: 'compact' });
        else this.found.set(topic, there);
        checkChangelog(name, this.found.get(topic) as TopicDescription, partitions);
      }
    }
  }

  /** A shuffle adopts the number of the topics it is joined with, else that of the stage that writes it. */
  #wanted(name: string): number | undefined {
    const reader = this.#stages.find(({ inputs }) => inputs.some((use) => use.name === name));
    const beside = this.#most(reader?.inputs.filter((use) => use.name !== name) ?? []);
    if (beside !== undefined) return beside;
    const writers = this.#stages.filter(({ outputs }) => outputs.some((use) => use.name === name));
    return this.#most(writers.flatMap(({ inputs }) => inputs));
  }

  #most(uses: readonly TopicUse[]): number | undefined {
    const counts = uses.map(({ name }) => this.found.get(name)?.partitions).filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : Math.max(...counts);
  }

  async #create(name: string, partitions: number, config: TopicConfig = {}): Promise<void> {
    await this.#transport.topics.create(name, { partitions, config, ifMissing: true });
    const description = await this.#transport.topics.describe(name);
    if (description === undefined) throw new FatalError('ERR_UNKNOWN_TOPIC', `topic ${name} could not be created`);
    this.found.set(name, description);
  }
}

/** State lies in the partition of its task, so a changelog with another number of partitions is that of other tasks. */
function checkChangelog(store: string, { name, partitions }: TopicDescription, wanted: number): void {
  if (partitions === wanted) return;
  throw new StoreError(
    'ERR_CHANGELOG_PARTITIONS',
    `the changelog of store ${store} has ${partitions} partitions, and the stage that uses the store has ${wanted}`,
    {
      topic: name,
      hint:
        'the number of partitions of its sources has changed, and keys are in other partitions now: run under a new ' +
        'applicationId, or delete the changelog and the offsets of the application, so that the state is built again',
    },
  );
}
