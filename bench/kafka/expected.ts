import { type Click, clickAt, KINDS, timeWithBreak } from '../shared/clicks.ts';
import { categoryOf, isWanted, viewOf, WINDOW_MS, type Work } from './works.ts';

/** Click number `at` of the input, as it was published. */
export const inputAt = (at: number, records: number) => clickAt(at, timeWithBreak(at, records));

/** The rows that a work must make of the input, as text, in any order; computed without any stream processing. */
export function* expectedRows(work: Work, records: number): Generator<string> {
  const panes = new Map<string, number>();
  let last = 0;
  for (let at = 0; at < records; at += 1) {
    const { text, timestamp, userId } = inputAt(at, records);
    last = timestamp;
    if (work === 'pass') yield `${userId} ${timestamp} ${text}`;
    else if (work === 'map') {
      const click = JSON.parse(text) as Click;
      if (isWanted(click)) yield `${userId} ${timestamp} ${JSON.stringify(viewOf(click))}`;
    } else {
      const key = work === 'shuffle' ? categoryAt(at) : userId;
      if (key === undefined) continue;
      const pane = `${key} ${timestamp - (timestamp % WINDOW_MS[work])}`;
      panes.set(pane, (panes.get(pane) ?? 0) + 1);
    }
  }
  for (const [pane, clicks] of panes) {
    const [key, start] = pane.split(' ');
    // The last windows stay open. On update their counts are there all the same.
    if (work === 'shuffle' || Number(start) + WINDOW_MS[work as 'count-1m'] <= last) yield rowOf(key, start, clicks);
  }
}

/** How many records go through the shuffle. */
export function shuffledRecords(records: number): number {
  let count = 0;
  for (let at = 0; at < records; at += 1) if (categoryAt(at) !== undefined) count += 1;
  return count;
}

const rowOf = (key: string | undefined, start: string | undefined, clicks: number): string =>
  `${key} {"start":${start},"clicks":${clicks}}`;

/** Under which key a click comes out of the join; `undefined` when it does not. */
function categoryAt(at: number): string | undefined {
  const product = at % KINDS;
  return product % 10 === 0 ? undefined : categoryOf(product);
}
