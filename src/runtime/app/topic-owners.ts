import { ConfigError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { KnownTopic, TopicDescription, Transport } from '../../log/transport.ts';
import { ownerMark } from './own-topics.ts';

/** The mark of the application that a topic belongs to. */
const markOf = ({ config }: TopicDescription): string | undefined => config.owner ?? config.claim;

/**
 * Marks the existing topics that an application both writes and reads as its own. All are checked before one is marked,
 * so that a refused application leaves no marks behind.
 *
 * @param found - The known topics; those that get a mark are looked up again.
 * @throws ConfigError `ERR_TOPIC_OWNED` if one of them belongs to another application
 */
export async function claimTopics(
  names: Iterable<string>,
  found: Map<string, KnownTopic>,
  applicationId: string,
  transport: Transport,
): Promise<void> {
  const mine = ownerMark(applicationId);
  const there = (): readonly KnownTopic[] => [...names].flatMap((name) => found.get(name) ?? []);
  const check = async (): Promise<void> => {
    for (const topic of there()) {
      const mark = markOf(topic);
      if (mark !== undefined && mark !== mine) throw await topicOwned(topic.name, mark, applicationId, transport);
    }
  };
  await check();
  const free = there().filter((topic) => markOf(topic) === undefined);
  if (free.length === 0) return;
  const claimed = free.map(({ name }) => name);
  await transport.topics.claimAll(claimed, mine);
  for (const [name, topic] of await transport.topics.describeAll(claimed)) found.set(name, topic);
  await check();
}

/** Warns about topics that cannot be protected from other applications. */
export function warnOfUnmarked(
  names: Iterable<string>,
  topics: ReadonlyMap<string, TopicDescription>,
  applicationId: string,
  logger: Logger,
): void {
  for (const name of names) {
    const topic = topics.get(name);
    if (topic === undefined || markOf(topic) !== undefined) continue;
    logger.warn(
      { applicationId, topic: name },
      `topic ${name} cannot be marked as this application's: nothing stops another application from writing and reading ` +
        'it too, and each would process the records of both',
    );
  }
}

/** The error for a topic that another application writes and reads. */
async function topicOwned(
  topic: string,
  mark: string,
  applicationId: string,
  transport: Transport,
): Promise<ConfigError> {
  // The mark is a hash of the name, so the owner can only be found among the existing groups.
  const groups = await transport.groups().catch(() => []);
  const owner = groups.find((id) => ownerMark(id) === mark);
  const who = owner === undefined ? `another application (its mark is ${mark})` : `application "${owner}"`;
  const gone = owner === undefined ? 'it' : `"${owner}"`;
  return new ConfigError(
    'ERR_TOPIC_OWNED',
    `topic ${topic} belongs to ${who}, which writes and reads it: "${applicationId}" would process its records too, and it ` +
      `those of "${applicationId}"`,
    {
      topic,
      hint:
        `give "${applicationId}" a topic with another name. If ${gone} is gone for good, client.topics.delete('${topic}') ` +
        `removes the records it left there, and client.topics.release('${topic}') hands it over as it is (or millrace topics delete, and millrace topics release)`,
    },
  );
}
