import { Buffer } from 'node:buffer';
import { type Input, type Json, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { foldOf, mergeOf } from './folds.ts';

interface Session {
  readonly key: string;
  readonly first: number;
  readonly last: number;
  readonly aggregate: Json;
}

const bytesOrder = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

/** Sessions (SE-1 to SE-7, EM-1 to EM-3, TM-2, TM-10), as a list of those that are open. */
export function sessionModel(params: Params, inputs: readonly Input[]): Expected {
  const fold = foldOf(textOf(params, 'aggregate'));
  const merge = mergeOf(textOf(params, 'aggregate'));
  const gap = numberOf(params, 'gap');
  const grace = numberOf(params, 'grace');
  const onClose = textOf(params, 'emit') === 'close';
  let sessions: Session[] = [];
  let streamTime = -1;
  let dropped = 0;
  const rowOf = ({ aggregate, first, key, last }: Session): Row => ({
    key,
    value: aggregate,
    timestamp: last,
    window: { start: first, end: last },
  });
  const isClosed = (last: number): boolean => streamTime > last + gap + grace;

  const steps = inputs.map(({ key, timestamp, value }): Row[] => {
    if (key === null || value === null) {
      dropped += 1;
      return [];
    }
    streamTime = Math.max(streamTime, timestamp);
    const closing = sessions.filter(({ last }) => isClosed(last));
    sessions = sessions.filter(({ last }) => !isClosed(last));
    const found = sessions
      .filter((each) => each.key === key && each.last >= timestamp - gap && each.first <= timestamp + gap)
      .sort((left, right) => left.last - right.last || left.first - right.first);
    const first = Math.min(timestamp, ...found.map((each) => each.first));
    const last = Math.max(timestamp, ...found.map((each) => each.last));
    const rows: Row[] = [];
    if (isClosed(last)) {
      dropped += 1;
    } else {
      let aggregate: Json | undefined;
      for (const each of found) aggregate = merge(aggregate, each.aggregate);
      const made = { key, first, last, aggregate: fold(aggregate, value) };
      sessions = [...sessions.filter((each) => !found.includes(each)), made];
      if (first !== last) rows.push(...found.map((each) => ({ ...rowOf(each), value: null })));
      rows.push(rowOf(made));
    }
    if (!onClose) return rows;
    closing.sort(
      (left, right) => left.last - right.last || left.first - right.first || bytesOrder(left.key, right.key),
    );
    return closing.map(rowOf);
  });
  return { steps, dropped, store: sessions.map(rowOf) };
}
