import type { Clock } from '../../dataflow/clock.ts';
import { noLogger } from '../../log/logger.ts';
import type { Transport } from '../../log/transport.ts';
import type { Topology } from '../../plan/topology.ts';
import type { AppOptions } from './app-options.ts';
import { warnOfLeftBehind } from './left-behind.ts';
import { warnOfRetention, writtenAndRead } from './own-topics.ts';
import { PatternTopics } from './pattern-topics.ts';
import { warnOfRestamping } from './restamped-topics.ts';
import { NO_ENDS, type TopicEnds, topicEnds } from './topic-ends.ts';
import { warnOfUnmarked } from './topic-owners.ts';
import { setUpTopics, type TopicsInUse } from './topic-setup.ts';
import { isAnother, type TopicChange, TopicWatch } from './topic-watch.ts';

/** The topics of a running application: looked up at its start, watched, and looked up again after changes. */
export class AppTopics {
  /** The topics as of the last look-up. */
  now: TopicsInUse = new Map();
  /** The ends at the start of those topics that are read from 'latest'. */
  ends: TopicEnds = NO_ENDS;
  /** The topology, with the topics that matched patterns at the last look-up. */
  topology: Topology;
  readonly #patterns: PatternTopics;
  readonly #options: AppOptions;
  readonly #clock: Clock;
  #watch: TopicWatch | undefined;
  #stale = false;

  constructor(topology: Topology, options: AppOptions, clock: Clock) {
    this.topology = topology;
    this.#patterns = new PatternTopics(topology, options.applicationId, options.onRecordError ?? 'fail');
    this.#options = options;
    this.#clock = clock;
  }

  /** Whether they have changed since the last look-up. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Marks them for a look-up before the next run. */
  changed(): void {
    this.#stale = true;
  }

  /** Looks topics up at the start and creates missing ones. @throws as {@link setUpTopics} */
  async setUp(transport: Transport): Promise<void> {
    this.now = await this.#lookUp(transport);
    const { applicationId, logger = noLogger, onRecordError = 'fail', startFrom = 'earliest' } = this.#options;
    if (startFrom === 'latest') this.ends = await topicEnds(this.topology, this.now, applicationId, transport);
    warnOfRetention(this.topology, this.now, onRecordError, applicationId, logger);
    warnOfRestamping(this.topology, this.now, applicationId, logger);
    warnOfUnmarked(writtenAndRead(this.topology), this.now, applicationId, logger);
    await warnOfLeftBehind(this.topology, transport, applicationId, logger, this.#clock);
  }

  /**
   * Looks topics up again if they have changed. @throws as {@link setUpTopics}, for changes that the application cannot
   * handle
   */
  async renew(transport: Transport): Promise<void> {
    if (!this.#stale) return;
    this.#stale = false;
    this.now = await this.#lookUp(transport, this.now);
    this.#watch?.taken(this.now);
  }

  /** @param changed - Called with the names of topics that have changed. */
  watch(transport: Transport, changed: (names: readonly string[]) => void): void {
    const found = this.#patterns.patterns.length === 0 ? undefined : this.#patterns;
    this.#watch = new TopicWatch(
      transport,
      this.#clock,
      this.now,
      (changes, fresh) => {
        for (const change of changes) this.#warnOf(change);
        for (const topic of fresh) this.#tellOf(topic);
        this.#stale = true;
        changed([...changes.map(({ now }) => now.name), ...fresh]);
      },
      found,
    );
  }

  stop(): void {
    this.#watch?.stop();
  }

  async #lookUp(transport: Transport, before?: TopicsInUse): Promise<TopicsInUse> {
    const { applicationId, onRecordError = 'fail' } = this.#options;
    this.topology = await this.#patterns.resolve(transport, before);
    return setUpTopics(this.topology, transport, onRecordError, applicationId, before);
  }

  #tellOf(topic: string): void {
    const { applicationId, logger = noLogger } = this.#options;
    logger.info({ applicationId, topic }, 'a topic was found that matches a pattern: it is read from its first record');
  }

  #warnOf(change: TopicChange): void {
    const { applicationId, logger = noLogger } = this.#options;
    const { before, now } = change;
    const fields = { applicationId, topic: now.name, partitions: now.partitions };
    if (isAnother(change)) logger.warn(fields, 'a topic was deleted and created again');
    else {
      const text = 'partitions were added to a topic: records of one key may be in two partitions from now on';
      logger.warn({ ...fields, before: before.partitions }, text);
    }
  }
}
