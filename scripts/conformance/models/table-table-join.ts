import { type Input, type Json, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

interface Latest {
  readonly value: Json;
  readonly timestamp: number;
}

/**
 * Two tables joined by key (TT-1 to TT-4): each record makes the row of its key anew from the latest rows of both. Where a
 * table has a history, its latest row is that with the highest timestamp, and records out of order are dropped.
 */
export function tableJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const type = textOf(params, 'type');
  const versioned = 'versioned' in params ? textOf(params, 'versioned') : 'none';
  const rows = new Map<string, Row>();
  const taken: Input[] = [];
  const latest = (topic: string, key: string): Latest => {
    const last = taken.findLast((input) => input.topic === topic && input.key === key);
    return last === undefined ? { value: null, timestamp: -1 } : last;
  };
  const steps = inputs.map((input): Row[] => {
    const { key, timestamp, topic } = input;
    if (key === null) return [];
    const hasHistory = versioned === 'both' || versioned === topic;
    if (hasHistory && isOld(params, inputs.slice(0, inputs.indexOf(input) + 1), input)) return [];
    if (hasHistory && timestamp < latest(topic, key).timestamp) return [];
    taken.push(input);
    const [left, right] = [latest('left', key), latest('right', key)];
    const there = type === 'outer' ? left.value !== null || right.value !== null : left.value !== null;
    const value: Json = there && (type !== 'inner' || right.value !== null) ? [left.value, right.value] : null;
    const other = topic === 'left' ? right : left;
    const at = Math.max(timestamp, other.value === null ? -1 : other.timestamp);
    if (value === null && !rows.has(key)) return [];
    if (value === null) rows.delete(key);
    else rows.set(key, { key, value, timestamp: at });
    return [{ key, value, timestamp: at }];
  });
  return { steps, dropped: inputs.length - taken.length, store: [...rows.values()] };
}

/** Older than the history of its table. */
function isOld(params: Params, until: readonly Input[], { timestamp, topic }: Input): boolean {
  const written = until.filter((input) => input.topic === topic && input.key !== null);
  return timestamp < Math.max(...written.map((input) => input.timestamp)) - Number(params['historyRetention']);
}
