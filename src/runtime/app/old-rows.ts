import type { Logger } from '../../log/logger.ts';
import type { OutgoingBatch, TaskLog, TopicDescription } from '../../log/transport.ts';
import type { SharedOutputs } from '../task/shared-outputs.ts';
import type { AppOptions } from './app-options.ts';

type Outputs = Pick<SharedOutputs, 'recycle' | 'take'>;
type Topics = ReadonlyMap<string, Pick<TopicDescription, 'config'>>;

/** The part of a batch that is needed here. */
type Batch = Pick<OutgoingBatch, 'topic'> & { readonly records: Pick<OutgoingBatch['records'], 'maxTimestamp'> };

/**
 * Warns once per topic about rows that are older than the topic's retention. A broker applies retention to the
 * timestamps of records, not to when they were written, so it soon removes the results of historical data.
 */
export class OldRows {
  readonly #topics: Topics;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #applicationId: string;
  readonly #said = new Set<string>();

  /** @param now - Wall-clock time, epoch milliseconds. */
  constructor(topics: Topics, now: () => number, logger: Logger, applicationId: string) {
    this.#topics = topics;
    this.#now = now;
    this.#logger = logger;
    this.#applicationId = applicationId;
  }

  /** @param batches - The batches about to be written. */
  look(batches: readonly Batch[]): void {
    for (const { records, topic } of batches) {
      if (this.#said.has(topic)) continue;
      const config = this.#topics.get(topic)?.config;
      if (config === undefined || config.cleanup === 'compact' || config.retentionMs < 0) continue;
      if (records.maxTimestamp < 0 || records.maxTimestamp >= this.#now() - config.retentionMs) continue;
      this.#said.add(topic);
      this.#logger.warn(
        { applicationId: this.#applicationId, topic, timestamp: records.maxTimestamp },
        `rows for topic ${topic} are from ${new Date(records.maxTimestamp).toISOString()}, but it keeps records for ` +
          `${hours(config.retentionMs)} after their time: the broker removes such rows soon. Keep them with ` +
          `client.topics.configure('${topic}', { retentionMs: -1 })`,
      );
    }
  }
}

const hours = (ms: number): string => `${Math.round(ms / 36_000) / 100} hours`;

/**
 * Outputs that are checked for old rows. Only brokers remove records by their timestamp alone; other logs also keep
 * them that long after they were written.
 */
export function sayingOldRows(
  outputs: Outputs,
  { kind }: Pick<TaskLog, 'kind'>,
  topics: Topics,
  { applicationId, logger }: Pick<AppOptions, 'applicationId' | 'logger'>,
  now: () => number,
): Outputs {
  if (kind !== 'kafka' || logger === undefined) return outputs;
  const old = new OldRows(topics, now, logger, applicationId);
  const take = (): OutgoingBatch[] => {
    const batches = outputs.take();
    old.look(batches);
    return batches;
  };
  return { take, recycle: (batches) => outputs.recycle(batches) };
}
