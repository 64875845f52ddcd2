import { type Click, clickAt, KINDS, timeWithBreak } from '../shared/clicks.ts';
import {
  type Buy,
  boughtOf,
  categoryOf,
  GAP_MS,
  isWanted,
  JOINS,
  viewOf,
  WINDOW_MS,
  WITHIN_MS,
  type Work,
} from './works.ts';

/** Click number `at` of the input, as it was published. */
export const inputAt = (at: number, records: number) => clickAt(at, timeWithBreak(at, records));

/** One in so many clicks is followed by a buy. */
const CLICKS_PER_BUY = 2;

/** How many buys there are beside so many clicks. */
export const buysFor = (records: number): number => Math.floor(records / CLICKS_PER_BUY);

/** How many records a work reads, of so many clicks. */
export const inputsOf = (work: Work, records: number): number =>
  records + (JOINS.includes(work) ? buysFor(records) : 0);

/** Buy number `at`: right after a click, and at no click's time, so that the order of both topics is clear. */
export function buyAt(at: number, records: number): { key: string; value: Buy; timestamp: number } {
  const { timestamp, userId } = inputAt(at * CLICKS_PER_BUY, records);
  return { key: userId, value: { product: `product-${at % KINDS}` }, timestamp: timestamp + 1 };
}

/** The rows that a work must make of the input, as text, in any order; computed without any stream processing. */
export function* expectedRows(work: Work, records: number): Generator<string> {
  if (work === 'sessions') yield* expectedVisits(records);
  else if (work === 'stream-join') yield* expectedPairs(records);
  else if (work === 'table-join') yield* expectedChanges(records);
  else yield* expectedCounts(work, records);
}

function* expectedVisits(records: number): Generator<string> {
  const visits = new Map<string, { start: number; end: number; clicks: number }>();
  let last = 0;
  for (let at = 0; at < records; at += 1) {
    const { timestamp, userId } = inputAt(at, records);
    last = timestamp;
    const visit = visits.get(userId);
    if (visit !== undefined && timestamp - visit.end <= GAP_MS) {
      visit.end = timestamp;
      visit.clicks += 1;
      continue;
    }
    if (visit !== undefined) yield `${userId} ${JSON.stringify(visit)}`;
    visits.set(userId, { start: timestamp, end: timestamp, clicks: 1 });
  }
  for (const [userId, visit] of visits) if (visit.end + GAP_MS < last) yield `${userId} ${JSON.stringify(visit)}`;
}

function* expectedPairs(records: number): Generator<string> {
  const clicksOf = new Map<string, Click[]>();
  for (let at = 0; at < records; at += 1) {
    const { text, userId } = inputAt(at, records);
    const click = JSON.parse(text) as Click;
    const known = clicksOf.get(userId);
    if (known === undefined) clicksOf.set(userId, [click]);
    else known.push(click);
  }
  for (let at = 0; at < buysFor(records); at += 1) {
    const { key, timestamp, value } = buyAt(at, records);
    for (const click of clicksOf.get(key) ?? []) {
      if (Math.abs(click.at - timestamp) > WITHIN_MS) continue;
      yield `${key} ${Math.max(click.at, timestamp)} ${JSON.stringify(boughtOf(click, value))}`;
    }
  }
}

/** Both topics in the order of time. A buy follows its click, and is before the next one. */
function* expectedChanges(records: number): Generator<string> {
  const lastClicks = new Map<string, Click>();
  const lastBuys = new Map<string, Buy>();
  for (let at = 0; at < records; at += 1) {
    const { text, timestamp, userId } = inputAt(at, records);
    const click = JSON.parse(text) as Click;
    lastClicks.set(userId, click);
    const bought = lastBuys.get(userId);
    if (bought !== undefined) yield `${userId} ${timestamp} ${JSON.stringify(boughtOf(click, bought))}`;
    if (at % CLICKS_PER_BUY !== 0 || at / CLICKS_PER_BUY >= buysFor(records)) continue;
    const { timestamp: time, value } = buyAt(at / CLICKS_PER_BUY, records);
    lastBuys.set(userId, value);
    yield `${userId} ${time} ${JSON.stringify(boughtOf(click, value))}`;
  }
}

function* expectedCounts(
  work: Exclude<Work, 'sessions' | 'stream-join' | 'table-join'>,
  records: number,
): Generator<string> {
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
