import type { Logger } from '../../log/logger.ts';
import type { TopicDescription } from '../../log/transport.ts';
import type { Topology } from '../../plan/topology.ts';
import { changelogTopic } from './changelog.ts';

/**
 * Warns about topics in which the broker replaces the timestamps of what the application writes: existing topics keep their
 * configuration, and those that Millrace creates keep timestamps.
 */
export function warnOfRestamping(
  { stages }: Pick<Topology, 'stages'>,
  topics: ReadonlyMap<string, TopicDescription>,
  applicationId: string,
  logger: Logger,
): void {
  const read = new Set(stages.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  const warn = (topic: string, what: string): void => {
    if (topics.get(topic)?.config.restamps !== true) return;
    logger.warn(
      { applicationId, topic },
      `topic ${topic} replaces the timestamps of records with the time at which the broker gets them, ${what}: set ` +
        'message.timestamp.type=CreateTime for it, before records are written',
    );
  };
  for (const name of new Set(stages.flatMap(({ outputs }) => outputs.map((output) => output.name)))) {
    warn(
      name,
      read.has(name)
        ? 'so what reads it again finds that time instead of the time of events'
        : 'so its readers do not find the time of events',
    );
  }
  for (const { name } of stages.flatMap((stage) => stage.stores)) {
    warn(
      changelogTopic(applicationId, name),
      'so at least once late writes of processes that have lost a task count in the state',
    );
  }
}
