import type { TopicUse } from '../../dataflow/node.ts';
import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import { durationMs } from '../../options/duration.ts';
import {
  checkNames,
  checkOneOf,
  checkSignal,
  checkWhole,
  type OptionNames,
  show,
  timeMs,
} from '../../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../../options/record-policy.ts';
import type { PatternOptions, ReadFrom, ReadOptions, ReadUntil } from './read-options.ts';

/** The part of a topic that reading needs, without its types. */
export type AnyTopic = Pick<Target<never, never>, 'name' | 'use'>;

/** The checked options of a reading, with defaults applied. */
export interface ReadPlan {
  /** Name in messages: `records(orders)`. */
  readonly step: string;
  readonly topics: readonly TopicUse[];
  /** Topics whose names match, in addition to those listed. */
  readonly pattern: { readonly test: (name: string) => boolean; readonly use: Omit<TopicUse, 'name'> } | undefined;
  readonly from: ReadFrom;
  readonly until: ReadUntil | undefined;
  readonly partitions: readonly number[] | undefined;
  readonly onRecordError: RecordPolicy | undefined;
  readonly outOfRange: 'fail' | 'earliest' | 'latest';
  readonly isolation: 'committed' | 'uncommitted';
  /** How often to look for new partitions and topics; `undefined`: the default of the log, see `refreshMs`. */
  readonly metadataMaxAgeMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly group: string | undefined;
  readonly explicit: boolean;
  readonly commitMs: number;
}

const NAMES: OptionNames<ReadOptions> = {
  from: true,
  until: true,
  partitions: true,
  onRecordError: true,
  outOfRange: true,
  isolation: true,
  metadataMaxAge: true,
  signal: true,
  group: true,
  commit: true,
  commitInterval: true,
};
const PATTERN_NAMES = { ...NAMES, key: true, value: true } as const;
const POSITION_NAMES = { offset: true, offsets: true, time: true } as const;
const WHERE = 'records(…)';

/** @throws ConfigError `ERR_OPTION`, `ERR_DURATION`, `ERR_SERDE` */
export function readPlan(
  topics: AnyTopic | readonly AnyTopic[] | RegExp,
  options: ReadOptions & Partial<PatternOptions<unknown, unknown>> = {},
): ReadPlan {
  if (typeof options !== 'object' || options === null)
    throw wrong(`the options are ${show(options)}`, 'give an object');
  const pattern = topics instanceof RegExp ? patternPlan(topics, options) : undefined;
  const uses = topics instanceof RegExp ? [] : topicUses(topics);
  checkNames(WHERE, options, pattern === undefined ? NAMES : PATTERN_NAMES);
  const { from = 'latest', group, partitions, until } = options;
  checkPosition('from', from, ['earliest', 'latest'], uses.length === 1);
  if (until !== undefined) checkPosition('until', until, ['end'], uses.length === 1);
  checkOneOf(WHERE, 'outOfRange', options.outOfRange, ['fail', 'earliest', 'latest']);
  checkOneOf(WHERE, 'isolation', options.isolation, ['committed', 'uncommitted']);
  checkOneOf(WHERE, 'commit', options.commit, ['auto', 'explicit']);
  checkPolicy(WHERE, options.onRecordError);
  checkSignal(WHERE, options.signal);
  if (partitions !== undefined && !Array.isArray(partitions)) {
    throw wrong(`partitions are ${show(partitions)}`, 'give an array: { partitions: [0, 2] }');
  }
  for (const partition of partitions ?? []) checkWhole(WHERE, 'a partition', partition);
  checkGroup(options);
  return {
    step: `records(${topics instanceof RegExp ? topics.toString() : uses.map(({ name }) => name).join(', ')})`,
    topics: uses,
    pattern,
    from,
    until,
    partitions,
    onRecordError: options.onRecordError,
    outOfRange: options.outOfRange ?? 'fail',
    isolation: options.isolation ?? 'committed',
    metadataMaxAgeMs:
      options.metadataMaxAge === undefined
        ? undefined
        : Math.max(1, durationMs(options.metadataMaxAge, 'metadataMaxAge')),
    signal: options.signal,
    group,
    explicit: options.commit === 'explicit',
    commitMs: durationMs(options.commitInterval ?? '1s', 'commitInterval'),
  };
}

function topicUses(topics: AnyTopic | readonly AnyTopic[]): TopicUse[] {
  const list: readonly AnyTopic[] = Array.isArray(topics) ? topics : [topics as AnyTopic];
  if (list.length === 0) throw wrong('no topic is given', 'name at least one topic');
  for (const topic of list) {
    if (typeof topic?.use?.value?.deserialize === 'function') continue;
    throw wrong(`${show(topic)} is not a topic`, "say how its records are read: topic('orders', { value: json() })");
  }
  return [...new Map(list.map(({ use }) => [use.name, use])).values()];
}

function patternPlan(pattern: RegExp, options: Partial<PatternOptions<unknown, unknown>>): ReadPlan['pattern'] {
  if (typeof options.value?.deserialize !== 'function') {
    throw new ConfigError('ERR_SERDE', `${WHERE}: topics are given by a pattern, without a value serde`, {
      hint: 'say how their records are read: client.records(/^orders-/, { value: json() })',
    });
  }
  // With the flags g and y a RegExp remembers its position.
  const tester = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const { key, value } = options;
  return { test: (name) => tester.test(name), use: key === undefined ? { value } : { key, value } };
}

function checkPosition(name: string, position: ReadFrom | ReadUntil, words: readonly string[], single: boolean): void {
  if (typeof position !== 'object' || position === null) {
    if (typeof position === 'string' && words.includes(position)) return;
    const allowed = words.map((word) => `'${word}'`).join(', ');
    throw wrong(`${name} is ${show(position)}`, `give one of ${allowed}, { offset }, { offsets }, { time }`);
  }
  const kinds = Object.keys(position);
  if (kinds.length !== 1) throw wrong(`${name} is ${show(position)}`, 'give one of offset, offsets, time');
  checkNames(`${WHERE}: ${name}`, position, POSITION_NAMES);
  if ('offset' in position) checkWhole(WHERE, `${name}.offset`, position.offset);
  if ('time' in position) timeMs(WHERE, `${name}.time`, position.time);
  if (!('offsets' in position)) return;
  if (!single) throw wrong(`${name}.offsets is given for several topics`, 'read one topic, or start from a time');
  for (const [partition, offset] of offsetEntries(position.offsets)) {
    checkWhole(WHERE, `a partition of ${name}.offsets`, partition);
    checkWhole(WHERE, `an offset of ${name}.offsets`, offset);
  }
}

/** Offsets by partition, from either form of the option. */
export function offsetEntries(
  offsets: ReadonlyMap<number, number> | readonly number[],
): readonly (readonly [partition: number, offset: number])[] {
  if (offsets instanceof Map) return [...offsets];
  if (!Array.isArray(offsets))
    throw wrong(`offsets are ${show(offsets)}`, 'give a Map from partition to offset, or an array');
  return offsets
    .map((offset: number, partition) => [partition, offset] as const)
    .filter(([, offset]) => offset !== undefined);
}

function checkGroup({ commit, commitInterval, group, partitions }: ReadOptions): void {
  if (group === undefined) {
    if (commit === undefined && commitInterval === undefined) return;
    throw wrong('commits need a group', "offsets are committed for a group: add group: 'billing'");
  }
  if (typeof group !== 'string' || group === '') throw wrong(`group is ${show(group)}`, 'give the group a name');
  if (partitions !== undefined) {
    throw wrong(
      'group and partitions are both given',
      'a group shares all partitions between its members; leave one of them out',
    );
  }
  if (commit === 'explicit' && commitInterval !== undefined) {
    throw wrong("commitInterval is given with commit: 'explicit'", 'the interval applies to automatic commits only');
  }
}

function wrong(message: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION', `${WHERE}: ${message}`, { hint });
}

/** How often to look for new partitions and topics. On a local log this needs no request to a broker. */
export function refreshMs({ metadataMaxAgeMs }: ReadPlan, kind: string): number {
  return metadataMaxAgeMs ?? (kind === 'kafka' ? 5000 : 500);
}
