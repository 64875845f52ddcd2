import { Buffer } from 'node:buffer';
import { type Data, type Input, NotImplemented, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { foldAll, foldOf } from './folds.ts';
import { sessionModel } from './session.ts';
import { slidingModel } from './sliding.ts';
import { unlimitedModel } from './unlimited.ts';

/** A record in one of its windows. */
interface Arrival {
  readonly key: string;
  readonly value: Data;
  readonly timestamp: number;
  readonly start: number;
}

/**
 * Tumbling and hopping windows (TM-2, TM-10, TW-1 to TW-6, EM-1 to EM-3): keeps every accepted record and folds all those
 * of a window anew for each of its rows.
 */
function alignedModel(params: Params, inputs: readonly Input[]): Expected {
  const { advance, grace, size } = shapeOf(params);
  const fold = foldOf(textOf(params, 'aggregate'));
  const onClose = textOf(params, 'emit') === 'close';
  const arrivals: Arrival[] = [];
  const emitted = new Set<string>();
  let streamTime = -1;
  let dropped = 0;

  const rowOf = (key: string, start: number): Row => {
    const inside = arrivals.filter((arrival) => arrival.key === key && arrival.start === start);
    return { key, ...foldAll(fold, inside), window: { start, end: start + size } };
  };
  const isClosed = (start: number): boolean => start + size + grace <= streamTime;
  const panes = (closed: boolean): Row[] => {
    const names = new Map(arrivals.map(({ key, start }) => [`${start} ${key}`, { key, start }]));
    const wanted = [...names.values()].filter(({ start }) => isClosed(start) === closed);
    wanted.sort((a, b) => a.start - b.start || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    return wanted.map(({ key, start }) => rowOf(key, start)).filter(({ value }) => value !== null);
  };

  const steps = inputs.map(({ key, timestamp, value }): Row[] => {
    if (key === null || value === null) {
      dropped += 1;
      return [];
    }
    streamTime = Math.max(streamTime, timestamp);
    const updates: Row[] = [];
    for (const start of startsOf(timestamp, size, advance)) {
      if (isClosed(start)) {
        dropped += 1;
        continue;
      }
      arrivals.push({ key, value, timestamp, start });
      updates.push(rowOf(key, start));
    }
    if (!onClose) return updates;
    const fresh = panes(true).filter((row) => !emitted.has(nameOf(row)));
    for (const row of fresh) emitted.add(nameOf(row));
    return fresh;
  });
  return { steps, dropped, store: panes(false) };
}

/** The windows of the vectors, by what their rules say. */
export function windowedModel(params: Params, inputs: readonly Input[]): Expected {
  switch (textOf(params, 'window')) {
    case 'sliding':
      return slidingModel(params, inputs);
    case 'session':
      return sessionModel(params, inputs);
    case 'unlimited':
      return unlimitedModel(params, inputs);
    default:
      return alignedModel(params, inputs);
  }
}

function shapeOf(params: Params): { readonly size: number; readonly advance: number; readonly grace: number } {
  const kind = textOf(params, 'window');
  if (kind !== 'tumbling' && kind !== 'hopping') throw new NotImplemented(`${kind} windows`);
  const size = numberOf(params, 'size');
  return { size, advance: kind === 'tumbling' ? size : numberOf(params, 'advance'), grace: numberOf(params, 'grace') };
}

/** Every multiple of `advance` from 0 on whose window `[start, start + size)` holds `timestamp`, ascending. */
function startsOf(timestamp: number, size: number, advance: number): number[] {
  const starts: number[] = [];
  const last = Math.floor(timestamp / advance) * advance;
  for (let start = last; start >= 0 && start + size > timestamp; start -= advance) starts.unshift(start);
  return starts;
}

function nameOf({ key, window }: Row): string {
  return `${window?.start} ${key}`;
}
