import { Buffer } from 'node:buffer';
import { type Data, type Input, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { foldAll, foldOf } from './folds.ts';

interface Arrival {
  readonly key: string;
  readonly value: Data;
  readonly timestamp: number;
}

/**
 * Sliding windows (SL-1 to SL-6, EM-1 to EM-3, TM-2, TM-10): keeps every accepted record. The windows of a key are those that
 * end with one of them, and those that start right behind one and hold a later one; each holds all records of its span.
 */
export function slidingModel(params: Params, inputs: readonly Input[]): Expected {
  const fold = foldOf(textOf(params, 'aggregate'));
  const difference = numberOf(params, 'timeDifference');
  const grace = numberOf(params, 'grace');
  const onClose = textOf(params, 'emit') === 'close';
  const arrivals: Arrival[] = [];
  /** Windows that were open when they began, as `key start`. */
  const begun = new Set<string>();
  const emitted = new Set<string>();
  let streamTime = -1;
  let dropped = 0;

  const leftOf = (timestamp: number): number => Math.max(0, timestamp - difference);
  const isClosed = (start: number): boolean => start + difference < streamTime - grace;
  const within = (key: string, start: number): Arrival[] =>
    arrivals.filter((each) => each.key === key && each.timestamp >= start && each.timestamp <= start + difference);
  const startsOf = (key: string): Set<number> => {
    const own = arrivals.filter((each) => each.key === key);
    const starts = new Set(own.map(({ timestamp }) => leftOf(timestamp)));
    for (const { timestamp } of own) if (within(key, timestamp + 1).length > 0) starts.add(timestamp + 1);
    return starts;
  };
  const rowOf = (key: string, start: number): Row => ({
    key,
    ...foldAll(fold, within(key, start)),
    window: { start, end: start + difference },
  });
  const rowsOf = (closed: boolean): Row[] =>
    [...begun]
      .map((name): [string, number] => [name.slice(name.indexOf(' ') + 1), Number(name.slice(0, name.indexOf(' ')))])
      .filter(([, start]) => isClosed(start) === closed)
      .sort((left, right) => left[1] - right[1] || Buffer.compare(Buffer.from(left[0]), Buffer.from(right[0])))
      .map(([key, start]) => rowOf(key, start));

  const steps = inputs.map(({ key, timestamp, value }): Row[] => {
    if (key === null || value === null) {
      dropped += 1;
      return [];
    }
    streamTime = Math.max(streamTime, timestamp);
    if (timestamp + difference < streamTime - grace) {
      dropped += 1;
    } else {
      const before = startsOf(key);
      arrivals.push({ key, value, timestamp });
      const after = startsOf(key);
      const holds = (start: number): boolean => start <= timestamp && start + difference >= timestamp;
      const left = leftOf(timestamp);
      const there = [...before].filter(holds).sort((a, b) => b - a);
      const fresh = [...after].filter((start) => !before.has(start));
      const behind = fresh.filter((start) => holds(start) && start !== left);
      const own = fresh.filter((start) => !holds(start));
      const lefts = fresh.filter((start) => start === left);
      const previous = Math.max(
        -1,
        ...arrivals.filter((each) => each.key === key && each.timestamp < timestamp).map((each) => each.timestamp),
      );
      // Of the closed windows that were never open, a record misses the two that would begin with it.
      const misses = (start: number): boolean =>
        isClosed(start) && (start === left || start === previous + 1 || begun.has(`${start} ${key}`));
      dropped += [...there, ...behind, ...lefts].filter(misses).length;
      for (const start of fresh) if (!isClosed(start)) begun.add(`${start} ${key}`);
      const early = timestamp < difference;
      const order = early
        ? [...there.reverse().filter((start) => start !== 0), ...own, ...behind, 0]
        : [...there, ...behind, ...lefts, ...own];
      if (!onClose) return order.filter((start) => !isClosed(start)).map((start) => rowOf(key, start));
    }
    if (!onClose) return [];
    const closed = rowsOf(true).filter((row) => !emitted.has(`${row.window?.start} ${row.key}`));
    for (const row of closed) emitted.add(`${row.window?.start} ${row.key}`);
    return closed;
  });
  return { steps, dropped, store: rowsOf(false) };
}
