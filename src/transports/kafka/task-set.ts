import type { WireReader } from './wire/reader.ts';
import type { WireWriter } from './wire/writer.ts';

/** Consecutive numbers. */
interface Run {
  /** The distance from the previous run. */
  readonly gap: number;
  readonly length: number;
}

/** A task id that ends in a canonical number. */
const NUMBERED = /^(.*)\/(0|[1-9]\d{0,8})$/s;

/** Writes task ids compactly: common prefixes once, and the numbers as runs. */
export function writeTasks(writer: WireWriter, ids: readonly string[]): void {
  const stages = new Map<string, number[]>();
  const others: string[] = [];
  for (const id of ids) {
    const match = NUMBERED.exec(id);
    if (match === null) others.push(id);
    else {
      const numbers = stages.get(match[1]!);
      if (numbers === undefined) stages.set(match[1]!, [Number(match[2])]);
      else numbers.push(Number(match[2]));
    }
  }
  writer.array([...stages], ([stage, numbers]) => {
    writer.string(stage).array(runsOf(numbers), ({ gap, length }) => writer.int32(gap).int32(length));
  });
  writer.array(others, (id) => writer.string(id));
}

export function readTasks(reader: WireReader): string[] {
  const ids: string[] = [];
  reader.array(() => {
    const stage = reader.string();
    let next = 0;
    reader.array(() => {
      next += reader.int32();
      for (let left = Math.min(reader.int32(), MOST); left > 0; left--) ids.push(`${stage}/${next++}`);
    });
  });
  return [...ids, ...reader.array(() => reader.string())];
}

/** Upper bound for the tasks in a run. */
const MOST = 1_000_000;

function runsOf(numbers: readonly number[]): Run[] {
  const runs: { gap: number; length: number }[] = [];
  let next = 0;
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && number === next) last.length += 1;
    else runs.push({ gap: number - next, length: 1 });
    next = number + 1;
  }
  return runs;
}
