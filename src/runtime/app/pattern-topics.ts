import type { TopicUse } from '../../dataflow/node.ts';
import { ConfigError, FatalError } from '../../errors.ts';
import { isDeadLetter } from '../../log/record-failures.ts';
import type { Transport } from '../../log/transport.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import { patternsOf, withFound } from '../../plan/found-topics.ts';
import type { Topology } from '../../plan/topology.ts';
import { changelogTopic } from './changelog.ts';

/** Finds the topics that match the patterns of a pipeline. */
export class PatternTopics {
  readonly patterns: readonly TopicUse[];
  readonly #topology: Topology;
  readonly #named: ReadonlySet<string>;
  /** All names that matched at the last look-up, including excluded ones. */
  #seen: ReadonlySet<string> = new Set();

  constructor(topology: Topology, applicationId: string, onRecordError: RecordPolicy) {
    this.patterns = patternsOf(topology);
    this.#topology = topology;
    this.#named = namedIn(topology, applicationId, onRecordError);
  }

  /**
   * The topology with the topics that exist now.
   *
   * @param before - Topics in use so far: a deleted one is still requested, and reported as missing like any other
   * source.
   * @throws FatalError `ERR_UNKNOWN_TOPIC` for a pattern that nothing matches; ConfigError `ERR_DUPLICATE_SOURCE`
   */
  async resolve(transport: Transport, before: ReadonlyMap<string, unknown> = new Map()): Promise<Topology> {
    if (this.patterns.length === 0) return this.#topology;
    const listed = await transport.topics.list();
    const matching = listed.filter((name) => this.#patternOf(name) !== undefined);
    this.#seen = new Set(matching);
    const known = await transport.topics.describeAll(matching.filter((name) => !before.has(name)));
    // Another application removes the records that it has read from its private topics.
    const there = matching.filter((name) => before.has(name) || known.get(name)?.config.owner === undefined);
    return this.of(new Set([...there, ...[...before.keys()].filter((name) => this.#patternOf(name) !== undefined)]));
  }

  /** The topology with topics that are known to exist. @throws as {@link resolve} */
  of(names: ReadonlySet<string>, empty: 'refused' | 'allowed' = 'refused'): Topology {
    const found = new Map<string, string[]>(this.patterns.map(({ name }) => [name, []]));
    for (const name of [...names].sort()) {
      const pattern = this.#patternOf(name);
      if (pattern !== undefined) found.get(pattern.name)?.push(name);
    }
    for (const [pattern, topics] of found)
      if (topics.length === 0 && empty === 'refused') throw nothingMatches(pattern);
    return withFound(this.#topology, found);
  }

  /** Those of some topics that did not exist at the last look-up. */
  fresh(listed: readonly string[]): readonly string[] {
    const fresh = listed.filter((name) => !this.#seen.has(name) && this.#patternOf(name) !== undefined);
    if (fresh.length > 0) this.#seen = new Set([...this.#seen, ...fresh]);
    return fresh;
  }

  /** Whether a pattern matches a topic. */
  takes(name: string): boolean {
    return this.#patternOf(name) !== undefined;
  }

  #patternOf(name: string): TopicUse | undefined {
    if (this.#named.has(name) || name.startsWith('__')) return undefined;
    const [pattern, other] = this.patterns.filter(({ takes }) => takes?.(name) === true);
    if (pattern !== undefined && other !== undefined) throw matchesTwo(name, pattern.name, other.name);
    return pattern;
  }
}

/**
 * Every topic that an application names or creates: reading one of them through a pattern too would be a loop or a
 * duplicate.
 */
function namedIn({ globals, stages }: Topology, applicationId: string, fallback: RecordPolicy): ReadonlySet<string> {
  const uses = [...stages.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]), ...globals];
  const policies = [fallback, ...uses.flatMap(({ onRecordError }) => onRecordError ?? [])];
  const stores = stages.flatMap((stage) => stage.stores.map(({ name }) => changelogTopic(applicationId, name)));
  const letters = policies.flatMap((policy) => (isDeadLetter(policy) ? policy.deadLetter : []));
  return new Set([...uses.map(({ name }) => name), ...stores, ...letters]);
}

function nothingMatches(pattern: string): FatalError {
  return new FatalError('ERR_UNKNOWN_TOPIC', `no topic matches ${pattern}`, {
    topic: pattern,
    hint: 'create one before the application starts: its partitions say how many tasks there are; others are found while it runs',
  });
}

function matchesTwo(topic: string, one: string, other: string): ConfigError {
  return new ConfigError('ERR_DUPLICATE_SOURCE', `topic ${topic} matches two patterns: ${one} and ${other}`, {
    topic,
    hint: 'make the patterns differ, or start both pipelines from one topic(pattern, …)',
  });
}
