import { randomBytes } from 'node:crypto';
import { type Client, type ConnectOptions, string, topic } from '../index.ts';
import { counted } from '../options/counted.ts';
import type { ClusterFacts, TopicStanding } from '../transports/kafka/cluster-facts.ts';
import { type Finding, note, ok, problem, some } from './finding.ts';

type KafkaOptions = NonNullable<ConnectOptions['kafka']> & { readonly brokers: readonly string[] };

/** Checks a cluster without changing anything: brokers, replicas, and the user's permissions. */
export async function clusterFindings(options: KafkaOptions): Promise<readonly Finding[]> {
  const { clusterFacts } = await import('../transports/kafka/cluster-facts.ts');
  const facts = await clusterFacts(options);
  return [
    ok('brokers', `${counted(facts.brokers.length, 'broker')}: ${facts.brokers.join(', ')}`),
    ...copies(facts),
    permissions(facts),
  ];
}

function copies({ brokers, topics }: ClusterFacts): readonly Finding[] {
  const named = (wanted: (topic: TopicStanding) => boolean): readonly string[] =>
    topics.filter(wanted).map(({ name }) => name);
  const leaderless = named((each) => each.leaderless > 0);
  const behind = named((each) => each.underReplicated > 0 && each.leaderless === 0);
  const single = brokers.length < 2 ? [] : named(({ replicas }) => replicas < 2);
  const findings = [
    ...(leaderless.length === 0 ? [] : [problem('replication', `no leader for partitions of ${some(leaderless)}`)]),
    ...(behind.length === 0 ? [] : [problem('replication', `copies are behind or missing for ${some(behind)}`)]),
    ...(single.length === 0 ? [] : [note('replication', `only one copy of ${some(single)}`)]),
  ];
  const partitions = topics.reduce((sum, each) => sum + each.partitions, 0);
  const all = `all copies of ${counted(partitions, 'partition')} of ${counted(topics.length, 'topic')} are up to date`;
  return findings.length > 0 ? findings : [ok('replication', all)];
}

function permissions({ may, topics }: ClusterFacts): Finding {
  const without = (operation: TopicStanding['may'][number]): readonly string[] =>
    topics.filter((each) => !each.may.includes(operation)).map(({ name }) => name);
  const [unread, unwritten] = [without('Read'), without('Write')];
  const told = [
    ...(unread.length === 0 ? [] : [`may not read ${some(unread)}`]),
    ...(unwritten.length === 0 ? [] : [`may not write ${some(unwritten)}`]),
    may.includes('Create') ? 'may create topics' : 'may not create topics of any name',
  ];
  if (unread.length > 0 || unwritten.length > 0 || !may.includes('Create')) return note('permissions', told.join('; '));
  return ok('permissions', `may read and write ${counted(topics.length, 'topic')}, and create others`);
}

/** Clock differences above which to report a note and a problem, in ms. */
const SKEW_MS = 2000;
const WRONG_MS = 60_000;

/** Creates a topic, writes to it, reads it and deletes it, which checks permissions and the broker's clock. */
export async function tryOut(options: KafkaOptions, client: Client, now: () => number): Promise<readonly Finding[]> {
  const { makeClockTopic } = await import('../transports/kafka/cluster-facts.ts');
  const name = `millrace-doctor-${randomBytes(6).toString('hex')}`;
  const probe = topic(name, { value: string() });
  await makeClockTopic(options, name);
  try {
    const before = now();
    await client.publish(probe, { value: 'probe' });
    const after = now();
    let written: number | undefined;
    for await (const { timestamp } of client.records(probe, { from: 'earliest', until: 'end' })) written = timestamp;
    if (written === undefined) return [problem('round trip', `what was written to ${name} cannot be read`)];
    const skewMs = written < before ? written - before : Math.max(0, written - after);
    const found = `the clock of the broker is ${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this one`;
    const clock = Math.abs(skewMs) > WRONG_MS ? problem : Math.abs(skewMs) > SKEW_MS ? note : ok;
    return [ok('round trip', `written and read again after ${now() - before} ms`), clock('clock', found)];
  } finally {
    await client.topics.delete(name);
  }
}

/** Records with timestamps further ahead than this come from a wrong clock, in ms. */
const AHEAD_MS = 300_000;
const MOST_TOPICS = 200;

/** Looks for records from the future: they close windows too early, and are refused if they are too far ahead. */
export async function futureRecords(client: Client, names: readonly string[], now: number): Promise<Finding> {
  const ahead: string[] = [];
  for (const name of names.slice(0, MOST_TOPICS)) {
    const [found, ends] = await Promise.all([
      client.offsets(name, { time: new Date(now + AHEAD_MS) }),
      client.offsets(name, 'latest'),
    ]);
    if ([...found].some(([partition, offset]) => offset < (ends.get(partition) ?? 0))) ahead.push(name);
  }
  if (ahead.length === 0) return ok('timestamps', 'no records from the future');
  return problem(
    'timestamps',
    `${some(ahead)}: records more than five minutes ahead of this clock; whose clock is wrong?`,
  );
}
