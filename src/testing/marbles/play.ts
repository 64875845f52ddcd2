import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import { formatMs } from '../../options/duration.ts';
import { nearest } from '../../options/nearest.ts';
import type { StreamRecord, Window } from '../../record.ts';
import type { TestDriver } from '../test-driver.ts';
import type { MarbleCell, MarbleItem, MarbleLine, MarbleRow } from './cells.ts';
import { unreadable } from './parse.ts';

/** Name of the line for the wall clock. */
const CLOCK = 'clock';
/** Name of the line for late records. */
const LATE = 'late';

export type AnyTarget = Target<never, never>;

/** A step of a diagram. */
export interface MarbleStep {
  readonly line: MarbleLine;
  readonly cell: MarbleCell;
}

/** The input and output lines of a diagram. */
export interface Sides {
  readonly steps: readonly MarbleStep[];
  readonly inputs: readonly MarbleLine[];
  readonly outputs: readonly MarbleLine[];
}

/** Separates input lines from output lines: topics that the pipeline writes are outputs. */
export function sidesOf(
  driver: TestDriver,
  lines: readonly MarbleLine[],
  topics: ReadonlyMap<string, AnyTarget>,
  text: string,
): Sides {
  const written = new Set(driver.topology.stages.flatMap(({ outputs }) => outputs));
  const isOutput = ({ name }: MarbleLine): boolean => name === LATE || written.has(name);
  for (const { name } of lines)
    if (name !== CLOCK && name !== LATE && !topics.has(name)) throw unknownLine(name, topics);
  const [inputs, outputs] = [lines.filter((line) => !isOutput(line)), lines.filter(isOutput)];
  const source = text.split('\n');
  for (const line of lines) {
    for (const { column, item } of line.cells) {
      const fits =
        item.kind === 'row' ? line.name !== CLOCK : item.kind === 'end' ? !isOutput(line) : line.name === CLOCK;
      if (fits) continue;
      const wanted =
        item.kind === 'end'
          ? 'the end on a line of an input'
          : `${item.kind === 'row' ? 'no record' : 'that'} on the line ${CLOCK}`;
      throw unreadable(source[line.number - 1] ?? '', line.number, column, wanted);
    }
  }
  const all = inputs.flatMap((line) => line.cells.map((cell) => ({ line, cell })));
  const acts = all
    .filter(({ cell }) => cell.item.kind !== 'end')
    .sort((one, other) => one.cell.column - other.cell.column);
  const ends = all
    .filter(({ cell }) => cell.item.kind === 'end')
    .sort((one, other) => other.cell.column - one.cell.column);
  const [end] = ends;
  const last = acts.at(-1);
  if (end !== undefined && last !== undefined && last.cell.column > end.cell.column) {
    const { line, cell } = last;
    throw unreadable(source[line.number - 1] ?? '', line.number, cell.column, 'nothing behind the end |');
  }
  return { steps: end === undefined ? acts : [...acts, end], inputs, outputs };
}

function unknownLine(name: string, topics: ReadonlyMap<string, unknown>): ConfigError {
  const near = nearest(name, [...topics.keys(), CLOCK, LATE]);
  return new ConfigError('ERR_DIAGRAM', `the marble diagram has a line ${name}, but no topic of that name`, {
    hint: `${near === undefined ? '' : `did you mean ${near}? `}add the topic to the topics of the diagram; the other lines are ${CLOCK} and ${LATE}`,
  });
}

/** The results by output line: a list of rows for each step, preceded by one for what already existed. */
export function play(
  driver: TestDriver,
  { outputs, steps }: Sides,
  topics: ReadonlyMap<string, AnyTarget>,
  start: number,
): MarbleRow[][][] {
  let lateSeen = driver.late.length;
  const read = ({ name }: MarbleLine): MarbleRow[] => {
    if (name === LATE) {
      const all = driver.late;
      const fresh = all.slice(Math.min(lateSeen, all.length));
      lateSeen = all.length;
      return fresh.map((record) => rowOf(record, start, record.late.missed));
    }
    return driver.read(topics.get(name) as AnyTarget).map((record) => rowOf(record, start));
  };
  for (const line of outputs) read(line);
  const rows = outputs.map((): MarbleRow[][] => []);
  for (const { cell, line } of steps) {
    act(driver, topics.get(line.name), cell.item, start);
    outputs.forEach((output, at) => rows[at]?.push(read(output)));
  }
  return rows;
}

function act(driver: TestDriver, topic: AnyTarget | undefined, item: MarbleItem, start: number): void {
  switch (item.kind) {
    case 'row': {
      const { timestamp } = item;
      const key = item.window === undefined ? item.key : { key: item.key, ...shifted(item.window, start) };
      const record = { key, value: item.value, ...(timestamp === undefined ? {} : { timestamp: start + timestamp }) };
      driver.pipe(topic as AnyTarget, record as never);
      break;
    }
    case 'advance':
      driver.advanceTime(formatMs(item.ms));
      break;
    case 'crash':
      driver.restart();
      break;
    case 'commit':
      driver.commit();
      break;
    default:
      driver.end('close');
  }
}

const shifted = ({ end, start }: Window, by: number): Window => ({ start: start + by, end: end + by });

function rowOf(record: StreamRecord<unknown, unknown>, start: number, missed?: readonly Window[]): MarbleRow {
  const { key, timestamp, value } = record;
  const own = windowIn(key);
  return {
    kind: 'row',
    key: own === undefined ? key : (key as { readonly key: unknown }).key,
    window: own && shifted(own, -start),
    value,
    timestamp: timestamp - start,
    missed: missed?.map((window) => shifted(window, -start)),
  };
}

/** The window of a key that `windowedKey` made. */
function windowIn(key: unknown): Window | undefined {
  if (typeof key !== 'object' || key === null) return undefined;
  const { end, key: inner, start } = key as Partial<Window> & { readonly key?: unknown };
  return inner === undefined || typeof start !== 'number' || typeof end !== 'number' ? undefined : { start, end };
}
