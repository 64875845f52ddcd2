import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Client, ConfigError, type PartitionOffsets } from '../index.ts';
import { partitionsToUse } from '../options/counted.ts';
import type { Context } from './context.ts';
import { parseRange, type Range } from './offsets.ts';
import { boundsOf } from './range-offsets.ts';

/** Flags that say where a group or an application continues, with the names of Kafka's own tools. */
export interface PlaceFlags {
  /** As for `consume -o`. */
  readonly to?: string;
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
  readonly fromFile?: string;
}

/** Adds the flags that name a place. */
export function placeFlags(command: Command): Command {
  return command
    .option('--to <place>', 'start, end, 100, +100, -100, @2026-01-31T12:00:00Z, @-1h; earliest and latest as well')
    .option('--to-earliest', 'from the first records')
    .option('--to-latest', 'from the end: only new records')
    .option('--to-offset <n>', 'from this offset of each partition')
    .option('--to-datetime <time>', 'from the first record at or after this time, such as 2026-01-31T12:00:00Z')
    .option('--by-duration <duration>', 'from the first record of the last so long, such as 1h or PT1H')
    .option('--shift-by <n>', 'move the committed offsets by this many, back with a minus')
    .option(
      '--from-file <file>',
      'from the offsets in a file, topic,partition,offset per line, as --export prints them',
    );
}

/** Finds the offsets of a topic that an option specifies; `undefined` for a topic that it does not cover. */
export interface Place {
  (
    client: Client,
    topic: string,
    committed: PartitionOffsets,
    context: Pick<Context, 'now'>,
  ): Promise<PartitionOffsets | undefined>;
  /** The topics that it names, if it names any. */
  readonly topics?: readonly string[];
}

/** The place that the flags specify, if any. @throws ConfigError `ERR_OPTION` */
export function placeOf(flags: PlaceFlags): Place | undefined {
  const { byDuration, fromFile, shiftBy, to, toDatetime, toEarliest, toLatest, toOffset } = flags;
  const given = Object.entries({ to, toEarliest, toLatest, toOffset, toDatetime, byDuration, shiftBy, fromFile });
  const named = given.filter(([, value]) => value !== undefined);
  if (named.length > 1) throw wrong('more than one place to start is given', 'leave all but one of them out');
  if (to !== undefined) {
    onePlace(to, 0);
    return ranged(to);
  }
  if (toEarliest === true) return ranged('start');
  if (toLatest === true) return ranged('end');
  if (toOffset !== undefined) return ranged(wholeText('--to-offset', toOffset, /^\d+$/));
  if (toDatetime !== undefined) return ranged(`@${toDatetime}`);
  if (byDuration !== undefined) return ranged(`@-${durationText(byDuration)}`);
  if (shiftBy !== undefined) return shifted(Number(wholeText('--shift-by', shiftBy, /^[+-]?\d+$/)));
  return fromFile === undefined ? undefined : ofFile(fromFile);
}

const ranged =
  (text: string): Place =>
  async (client, topic, _, { now }) =>
    within(client, topic, (await boundsOf(client, topic, onePlace(text, now()))).from);

/** A single place without an end. @throws ConfigError `ERR_OPTION` */
export function onePlace(text: string, now: number): Range {
  const range = parseRange([text], now);
  if (range.until === undefined && range.from.kind !== 'stored') return range;
  throw wrong(`--to is ${text}`, 'give one place, such as start, end, 100 or @-1h');
}

const shifted =
  (count: number): Place =>
  async (client, topic, committed) =>
    within(client, topic, new Map([...committed].map(([partition, offset]) => [partition, offset + count])));

function ofFile(file: string): Place {
  const offsets = new Map<string, Map<number, number>>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('ERR_OPTION', `--from-file: ${file} cannot be read`, { cause, hint: 'check the path' });
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, quoted, plain, partition, offset] = /^(?:"([^",]+)"|([^",]+)),(\d+),(\d{1,16})$/.exec(line.trim()) ?? [];
    const topic = quoted ?? plain;
    if (topic === undefined || !Number.isSafeInteger(Number(offset)))
      throw wrong(`--from-file: line ${index + 1} is ${line}`, 'write topic,partition,offset');
    const known = offsets.get(topic) ?? new Map<number, number>();
    if (known.has(Number(partition))) {
      throw wrong(
        `--from-file: line ${index + 1} names ${topic}, partition ${partition} again`,
        'keep one line for each',
      );
    }
    offsets.set(topic, known.set(Number(partition), Number(offset)));
  }
  const place = async (client: Client, topic: string): Promise<PartitionOffsets | undefined> => {
    const found = offsets.get(topic);
    if (found === undefined) return undefined;
    const { size } = await client.offsets(topic, 'latest');
    const beyond = [...found.keys()].find((partition) => partition >= size);
    if (beyond === undefined) return within(client, topic, found);
    throw wrong(`--from-file: ${topic} has no partition ${beyond}`, partitionsToUse(size));
  };
  return Object.assign(place, { topics: [...offsets.keys()] });
}

/** Limits offsets to the existing range: from the first record to the end. */
async function within(client: Client, topic: string, wanted: PartitionOffsets): Promise<PartitionOffsets> {
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  return new Map(
    [...wanted]
      .filter(([partition]) => ends.has(partition))
      .map(([partition, offset]) => [
        partition,
        Math.min(Math.max(offset, starts.get(partition) ?? 0), ends.get(partition) ?? 0),
      ]),
  );
}

/** Converts `1h`, or an ISO 8601 duration such as `PT1H30M`, to seconds. */
function durationText(text: string): string {
  if (/^\d+(?:\.\d+)?(?:ms|[smhdw])$/.test(text)) return text;
  const [whole, days = '0', hours = '0', minutes = '0', seconds = '0'] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text) ?? [];
  if (whole === undefined || whole.length < 3) throw wrong(`--by-duration is ${text}`, 'such as 1h, 7d or PT1H30M');
  return `${((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)}s`;
}

function wholeText(flag: string, text: string, pattern: RegExp): string {
  if (pattern.test(text) && Number.isSafeInteger(Number(text))) return text;
  throw wrong(`${flag} is ${text}`, 'give a whole number');
}

const wrong = (message: string, hint: string): ConfigError => new ConfigError('ERR_OPTION', message, { hint });
