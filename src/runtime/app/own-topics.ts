import type { TopicUse } from '../../dataflow/node.ts';
import type { Logger } from '../../log/logger.ts';
import { nameHash } from '../../log/name-hash.ts';
import { isDeadLetter } from '../../log/record-failures.ts';
import type { TopicConfig, TopicDescription } from '../../log/transport.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Topology } from '../../plan/topology.ts';
import { changelogTopic } from './changelog.ts';

type Planned = Pick<Topology, 'globals' | 'stages'>;
type Topics = ReadonlyMap<string, TopicDescription & { readonly id?: string | undefined }>;

/** The mark of an application on its own topics. */
export const ownerMark = (applicationId: string): string => nameHash(applicationId);

/**
 * Topics that only connect one stage to the next: written only by `through`, read by no global table, and without
 * retention settings. If one of them is missing, it is created for the application alone.
 */
function shufflesOf({ globals, stages }: Planned): ReadonlySet<string> {
  const shuffles = new Set<string>();
  const others = new Set(globals.map(({ name }) => name));
  for (const { spec } of stages.flatMap(({ nodes }) => nodes)) {
    for (const { config, name } of spec.topics ?? []) {
      if (spec.kind === 'sink' && spec.name === 'through') shuffles.add(name);
      else if (spec.kind === 'sink' || spec.kind === 'table') others.add(name);
      if (keepsAsToldIn(config)) others.add(name);
    }
  }
  return new Set([...shuffles].filter((name) => !others.has(name)));
}

/**
 * Topics that an application both writes and reads, with `through` or separately. Two applications that do both with
 * one topic process each other's records, so it can only belong to one.
 */
export function writtenAndRead({ stages }: Pick<Topology, 'stages'>): ReadonlySet<string> {
  const read = new Set(stages.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  return new Set(stages.flatMap(({ outputs }) => outputs.map(({ name }) => name).filter((name) => read.has(name))));
}

function keepsAsToldIn(config: TopicConfig | undefined): boolean {
  return (config?.cleanup ?? config?.retentionMs ?? config?.retentionBytes) !== undefined;
}

/**
 * The stages with the configuration for topics that the application creates: retention never removes records of its
 * private topics, and topics that it writes and reads are marked as its own.
 */
export function withOwnTopics(planned: Planned, applicationId: string): readonly Stage[] {
  const shuffles = shufflesOf(planned);
  const claimed = writtenAndRead(planned);
  const owner = ownerMark(applicationId);
  const own = (use: TopicUse): TopicUse => {
    if (shuffles.has(use.name)) {
      return { ...use, config: { ...use.config, retentionMs: -1, retentionBytes: -1, owner } };
    }
    return claimed.has(use.name) ? { ...use, config: { ...use.config, claim: owner } } : use;
  };
  return planned.stages.map((stage) => ({ ...stage, outputs: stage.outputs.map(own) }));
}

/** The application's private topics, with their ids: nobody needs the records that it has read from them. */
export function consumables(
  planned: Planned,
  topics: Topics,
  applicationId: string,
): ReadonlyMap<string, string | undefined> {
  const owner = ownerMark(applicationId);
  const own = [...shufflesOf(planned)].filter((name) => {
    const config = topics.get(name)?.config;
    return config?.owner === owner && config.cleanup === 'delete';
  });
  return new Map(own.map((name) => [name, topics.get(name)?.id]));
}

/** Warns about records that may be removed before they are read: existing topics keep their configuration. */
export function warnOfRetention(
  planned: Planned,
  topics: Topics,
  onRecordError: RecordPolicy,
  applicationId: string,
  logger: Logger,
): void {
  const warn = (topic: string, message: string): void => logger.warn({ applicationId, topic }, message);
  const { globals, stages } = planned;
  const inputs = stages.flatMap((stage) => stage.inputs);
  const written = new Set(stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  for (const { config, name } of inputs) {
    const limit = limitOf(topics.get(name));
    if (limit === undefined || !written.has(name) || keepsAsToldIn(config)) continue;
    warn(
      name,
      `topic ${name} removes records ${limit}, including those that the application has not read yet: keep them with ` +
        `client.topics.configure('${name}', { retentionMs: -1, retentionBytes: -1 })`,
    );
  }
  const owner = ownerMark(applicationId);
  for (const { name } of [...inputs, ...globals]) {
    const other = topics.get(name)?.config.owner;
    if (other === undefined || other === owner) continue;
    warn(
      name,
      `topic ${name} was created by another application for itself, which removes records that it has read: create the topic ` +
        'before that application starts, or declare its retention there with { config: { retentionMs } }',
    );
  }
  for (const { name } of stages.flatMap((stage) => stage.stores)) {
    const topic = changelogTopic(applicationId, name);
    const limit = limitOf(topics.get(topic));
    if (limit === undefined) continue;
    warn(
      topic,
      `the changelog of store ${name} removes records ${limit}, and state with them: set { cleanup: 'compact' }`,
    );
  }
  const policies = [...inputs, ...globals].map((use) => use.onRecordError ?? onRecordError);
  for (const policy of policies.filter(isDeadLetter)) {
    const limit = limitOf(topics.get(policy.deadLetter));
    if (limit === undefined || policy.retention !== undefined) continue;
    warn(
      policy.deadLetter,
      `topic ${policy.deadLetter} removes dead letters ${limit}: keep them with { retentionMs: -1 }, or say so with ` +
        'deadLetter(topic, { retention })',
    );
  }
}

/** Describes when a topic removes records; `undefined` if it keeps all, or the newest of each key. */
function limitOf(topic: TopicDescription | undefined): string | undefined {
  if (topic === undefined || topic.config.cleanup === 'compact') return undefined;
  const { retentionBytes, retentionMs } = topic.config;
  const limits = [
    ...(retentionMs < 0 ? [] : [`after ${Math.round(retentionMs / 36_000) / 100} hours`]),
    ...(retentionBytes < 0 ? [] : [`over ${retentionBytes} bytes per partition`]),
  ];
  return limits.length === 0 ? undefined : limits.join(' and ');
}
