import { stepName } from '../dataflow/node.ts';
import { ConfigError } from '../errors.ts';
import { nameHash } from '../log/name-hash.ts';
import type { TopicDescription } from '../log/transport.ts';
import { taskSpecs } from './assignment.ts';
import type { PlannedNode } from './plan.ts';
import type { Stage } from './stages.ts';
import { stepsAbove } from './steps-above.ts';

/** A stage whose tasks write to a shuffle and announce their progress in it. */
export interface ShuffleWriter {
  readonly stage: Stage;
  /** The number of the stage in announcements; see {@link stageNumber}. */
  readonly number: number;
  /** How many tasks it has. */
  readonly tasks: number;
  /**
   * What guarantees that nothing older will be written: how far its `input` was read; what it has `written`, if steps
   * change timestamps; or `nothing` until everything is read, if its input is out of order itself.
   */
  readonly follows: 'input' | 'written' | 'nothing';
  /**
   * Whether a single task writes the topic, in the order of its input. The time of the topic is then that of its
   * records, and announcements only serve later shuffles.
   */
  readonly alone: boolean;
}

/** A number that identifies a stage among those of all applications. */
export function stageNumber(applicationId: string, stage: string): number {
  return Number.parseInt(nameHash(`${applicationId}/${stage}`), 16);
}

type Topics = ReadonlyMap<string, TopicDescription>;

/**
 * The shuffles that need time announcements, with the stages that write them: topics that several tasks write to,
 * topics with rows that have waited for stream time or for calls, and all shuffles before and after these. A topic that a single
 * task writes in order needs no announcements: its time is that of its records, even if it carries announcements for a
 * later shuffle. A compacted topic cannot keep announcements, and in a cycle of shuffles each would wait for itself.
 *
 * @throws ConfigError `ERR_COMPACTED_SHUFFLE`
 */
export function shuffleWriters(
  stages: readonly Stage[],
  topics: Topics,
  applicationId: string,
): ReadonlyMap<string, readonly ShuffleWriter[]> {
  const found = new Map<string, ShuffleWriter[]>();
  const alone = new Set<string>();
  const sinks = stages.flatMap((stage) => (isInCircle(stage, stages) ? [] : shufflesOf(stage)));
  // Below an announced shuffle, records are out of order; above it, only announcements show that no more records
  // follow. So this takes as many rounds as there are consecutive shuffles.
  for (let known = -1; known !== found.size; ) {
    known = found.size;
    for (const name of new Set(sinks.flatMap(topicsOf))) {
      if (found.has(name) || !topics.has(name)) continue;
      const writing = stages.filter((stage) => sinks.some((sink) => stage.nodes.includes(sink) && writes(sink, name)));
      const behind = writing.some(({ inputs }) => inputs.some((use) => found.has(use.name)));
      const before = stages.some((stage) => reads(stage, name) && stage.outputs.some((use) => found.has(use.name)));
      // A task that also reads another stream is ahead in one of the two.
      const meets = stages.some((stage) => reads(stage, name) && streamsOf(stage) > 1);
      const waits = sinks.some((sink) => writes(sink, name) && rowsWait(sink));
      const tasks = writing.reduce((sum, stage) => sum + taskSpecs(stage, topics).length, 0);
      const isMixed = tasks > 1 || meets || waits || behind;
      if (topics.get(name)?.config.cleanup !== 'delete') {
        if (isMixed) refuseLate(name, stages);
        continue;
      }
      if (isMixed) alone.delete(name);
      else alone.add(name);
      if (isMixed || before) found.set(name, []);
    }
  }
  for (const [name, writers] of found) {
    for (const stage of stages) {
      const own = sinks.filter((sink) => stage.nodes.includes(sink) && writes(sink, name));
      if (own.length === 0) continue;
      const behind = stage.inputs.some((use) => found.has(use.name));
      const follows = own.every(keepsTime) ? 'input' : behind ? 'nothing' : 'written';
      const tasks = taskSpecs(stage, topics).length;
      writers.push({ stage, number: stageNumber(applicationId, stage.name), tasks, follows, alone: alone.has(name) });
    }
  }
  return found;
}

/** After a shuffle in which tasks cannot announce their progress, records would be late at random. */
function refuseLate(name: string, stages: readonly Stage[]): void {
  const step = lateBelow(name, stages);
  if (step === undefined) return;
  throw new ConfigError(
    'ERR_COMPACTED_SHUFFLE',
    `the shuffle ${name} keeps the newest record of each key, and its records are not in time order; ${stepName(step.spec)} after it uses ` +
      'stream time',
    {
      topic: name,
      hint:
        "tasks cannot announce their progress in a compacted topic: give through(…) one with cleanup: 'delete', and write the other " +
        'with to(…)',
    },
  );
}

/** A step below a topic, with any number of shuffles in between, for which records may be late. */
function lateBelow(name: string, stages: readonly Stage[], seen: Set<string> = new Set()): PlannedNode | undefined {
  seen.add(name);
  for (const stage of stages) {
    const below = stage.nodes.filter(
      (node) => node.spec.kind !== 'sink' && reads(stage, name) && comesFrom(node, name),
    );
    const late = below.find(({ spec: { traits } }) => traits.mayBeLate === true || traits.waits === true);
    if (late !== undefined) return late;
    for (const sink of stage.nodes.filter((node) => node.spec.kind === 'sink' && comesFrom(node, name))) {
      for (const next of topicsOf(sink)) {
        const found = seen.has(next) ? undefined : lateBelow(next, stages, seen);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

/** Whether records of a topic that its stage reads reach a step. */
function comesFrom(node: PlannedNode, name: string): boolean {
  return [...stepsTo(node)].some((step) => step.spec.kind !== 'sink' && topicsOf(step).includes(name));
}

function shufflesOf({ nodes }: Stage): PlannedNode[] {
  return nodes.filter(({ spec }) => spec.kind === 'sink' && spec.name === 'through');
}

function topicsOf({ spec }: PlannedNode): string[] {
  return (spec.topics ?? []).map(({ name }) => name);
}

function reads({ inputs }: Stage, topic: string): boolean {
  return inputs.some(({ name }) => name === topic);
}

/** How many inputs of a stage have records that cause output. Rows of a table that is only looked up do not. */
function streamsOf({ inputs, nodes }: Stage): number {
  const lookedUp = (node: PlannedNode): boolean =>
    nodes
      .filter(({ upstream }) => upstream.has(node))
      .every((next) => next.spec.name === 'joinTable' || (next.spec.kind !== 'sink' && lookedUp(next)));
  const tables = new Set(nodes.filter((node) => node.spec.kind === 'table' && lookedUp(node)).flatMap(topicsOf));
  return inputs.filter(({ name }) => !tables.has(name)).length;
}

function writes(sink: PlannedNode, topic: string): boolean {
  return topicsOf(sink).includes(topic);
}

/** The steps from the topics to this one. */
function stepsTo(node: PlannedNode): Set<PlannedNode> {
  return stepsAbove(node).add(node);
}

/** Whether all of them keep the timestamps of records. */
function keepsTime(sink: PlannedNode): boolean {
  return [...stepsTo(sink)].every(({ spec }) => spec.traits.keepsTime === true);
}

/** Whether rows on the way to the sink wait for stream time, or records for calls: newer ones overtake them. */
function rowsWait(sink: PlannedNode): boolean {
  return [...stepsTo(sink)].some(({ spec: { traits } }) => traits.waits === true || traits.reorders === true);
}

/** Whether a stage reads, directly or indirectly, what it writes. */
function isInCircle(start: Stage, stages: readonly Stage[]): boolean {
  const seen = new Set<Stage>();
  const reaches = (stage: Stage): boolean => {
    for (const { name } of stage.outputs) {
      for (const reader of stages) {
        if (!reader.inputs.some((use) => use.name === name)) continue;
        if (reader === start) return true;
        if (seen.has(reader)) continue;
        seen.add(reader);
        if (reaches(reader)) return true;
      }
    }
    return false;
  };
  return reaches(start);
}
