import { connect } from 'millrace';
import { readOptions } from '../shared/options.ts';
import { screenOf } from '../shared/terminal.ts';
import { compareRows, sayVerdict } from '../shared/verdict.ts';
import { byGroup, earliest, latest, manual, pattern } from './consume.ts';
import { expected } from './expected.ts';
import { logOf, logOptions } from './log.ts';
import { createAndDescribe, publishMany, publishOne, values } from './publish.ts';
import { tutorialTopics } from './topics.ts';

const options = readOptions({
  text: `The steps of the kafka-python tutorial, each with what it found.

  --brokers A    run on a Kafka cluster instead of a folder: --brokers localhost:9092
  --ca FILE      connect with TLS; the certificate of the authority
  --user NAME    log in with SASL; the password is taken from KAFKA_PASSWORD
  --mechanism M  plain, scram-sha-256 or scram-sha-512 (default)`,
  options: logOptions,
  path: '.millrace/kafka-tutorial',
});
const { log, words } = logOf(options);
const topics = tutorialTopics(Date.now().toString(36));
const client = await connect(log);
const other = await connect(log);
try {
  console.log(`connected to ${words}`);
  const steps: readonly (readonly [name: string, step: () => Promise<string>])[] = [
    ['create and describe a topic', () => createAndDescribe(client, topics)],
    ['publish and await', () => publishOne(client, topics)],
    ['publish without awaiting, with an error', () => publishMany(client, topics)],
    ['JSON, MessagePack and deletions', () => values(client, topics)],
    ['consume what is new, with automatic commits', () => latest(client, topics)],
    ['consume from the beginning', () => earliest(client, topics)],
    ['consume by group', () => byGroup(client, topics)],
    ['consume chosen partitions', () => manual(client, topics)],
    ['consume a pattern, and a topic that is added', () => pattern(client, other, topics)],
  ];
  const found: [name: string, result: string][] = [];
  for (const [name, step] of steps) {
    const result = await step();
    console.log(`${name}: ${result}`);
    found.push([name, result]);
  }
  sayVerdict(screenOf(process.stdout), `${found.length} steps found what they should`, compareRows(expected, found));
} finally {
  // Only the topics that this run created.
  for (const name of await other.topics.list())
    if (name.startsWith(`${topics.prefix}-`)) await other.topics.delete(name);
  await Promise.all([client.close(), other.close()]);
}
