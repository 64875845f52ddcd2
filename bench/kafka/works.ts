import {
  agg,
  bytes,
  filterValues,
  globalTable,
  joinRows,
  joinStream,
  joinTable,
  json,
  keyBy,
  mapValues,
  nullable,
  type Pipeline,
  session,
  string,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import type { Click } from '../shared/clicks.ts';

export const PARTITIONS = 2;

/** The topics that all contestants read. */
export const CLICKS = 'bench-clicks';
export const BUYS = 'bench-buys';
export const PRODUCTS = 'bench-products';

export const WORKS = [
  'pass',
  'map',
  'count-1m',
  'count-10m',
  'shuffle',
  'sessions',
  'stream-join',
  'table-join',
] as const;
export type Work = (typeof WORKS)[number];

/** Works whose rows come of clicks and buys. */
export const JOINS: readonly Work[] = ['stream-join', 'table-join'];

/** Somebody who does not click for so long has gone. The clicks behind the break are of less time, so that no visit ends among them. */
export const GAP_MS = 60_000;
/** A buy belongs to clicks that are so far away. Rows are kept for ten minutes more, which are about 100,000. */
export const WITHIN_MS = 30_000;
const JOIN_GRACE = '10m';

export const WINDOW_MS = { 'count-1m': 60_000, 'count-10m': 600_000, shuffle: 10_000 } as const;

export interface View {
  readonly userId: string;
  readonly product: string;
  readonly at: number;
}

interface Product {
  readonly category: string;
}

interface Categorised {
  readonly category: string;
  readonly at: number;
}

export interface Count {
  readonly start: number;
  readonly clicks: number;
}

export interface Buy {
  readonly product: string;
}

export interface Visit {
  readonly start: number;
  readonly end: number;
  readonly clicks: number;
}

/** What somebody has looked at, and what was bought. */
export interface Bought {
  readonly url: string;
  readonly product: string;
}

export const buys = topic(BUYS, { key: string(), value: json<Buy>(), partitions: PARTITIONS });
export const clicks = topic(CLICKS, { key: string(), value: json<Click>(), partitions: PARTITIONS });
export const products = globalTable(PRODUCTS, { key: string(), value: json<Product>(), partitions: 1 });

/** What the filters of all contestants let through. */
export const isWanted = (click: Click): boolean => !click.url.endsWith('0');
export const viewOf = ({ at, url, userId }: Click): View => ({ userId, product: url.slice(10), at });
/** The row of a product in the global table; some are missing, and their clicks are left out by the join. */
export const categoryOf = (product: number): string | undefined =>
  product % 16 === 5 ? undefined : `category-${product % 97}`;

export const boughtOf = ({ url }: Click, { product }: Buy): Bought => ({ url, product });

/** The topic between the two stages of `shuffle`. */
export const shuffleTopic = (output: string): string => `${output}-shuffle`;

/** A work as a pipeline to a topic. */
export function pipelineOf(work: Work, output: string): Pipeline {
  const counts = topic(output, { key: string(), value: json<Count>(), partitions: PARTITIONS });
  switch (work) {
    case 'pass': {
      const serdes = { key: bytes(), value: bytes(), partitions: PARTITIONS };
      return topic(CLICKS, serdes).pipe(to(topic(output, serdes)));
    }
    case 'map': {
      const views = topic(output, { key: string(), value: json<View>(), partitions: PARTITIONS });
      return clicks.pipe(filterValues(isWanted), mapValues(viewOf), to(views));
    }
    case 'count-1m':
    case 'count-10m':
      return clicks.pipe(
        windowBy(tumbling({ size: `${WINDOW_MS[work]}ms`, grace: '0s' }), { clicks: agg.count() }, { store: 'counts' }),
        mapValues((value, { window }): Count => ({ start: window.start, clicks: value.clicks })),
        to(counts),
      );
    case 'sessions': {
      const visits = topic(output, { key: string(), value: json<Visit>(), partitions: PARTITIONS });
      return clicks.pipe(
        windowBy(session({ gap: `${GAP_MS}ms`, grace: '0s' }), { clicks: agg.count() }, { store: 'visits' }),
        mapValues((value, { window }): Visit => ({ start: window.start, end: window.end, clicks: value.clicks })),
        to(visits),
      );
    }
    case 'stream-join':
      return clicks.pipe(
        joinStream(buys, boughtOf, { store: 'bought', within: `${WITHIN_MS}ms`, grace: JOIN_GRACE }),
        to(topic(output, { key: string(), value: json<Bought>(), partitions: PARTITIONS })),
      );
    case 'table-join': {
      const lastBuys = table(BUYS, { key: string(), value: json<Buy>(), partitions: PARTITIONS });
      const lastClicks = table(CLICKS, { key: string(), value: json<Click>(), partitions: PARTITIONS });
      return lastClicks.pipe(
        joinRows(lastBuys, boughtOf, { store: 'last' }),
        toStream(),
        to(topic(output, { key: string(), value: nullable(json<Bought>()), partitions: PARTITIONS })),
      );
    }
    case 'shuffle': {
      const between = topic(shuffleTopic(output), {
        key: string(),
        value: json<Categorised>(),
        partitions: PARTITIONS,
      });
      return clicks.pipe(
        filterValues(isWanted),
        joinTable(products, (click, { category }): Categorised => ({ category, at: click.at }), {
          key: ({ url }) => url,
        }),
        keyBy(({ category }) => category),
        through(between),
        // The two tasks before the shuffle are not equally far, so no row may depend on when a window closes.
        windowBy(
          tumbling({ size: `${WINDOW_MS.shuffle}ms`, grace: '24h' }),
          { clicks: agg.count() },
          { store: 'counts', emit: 'updates' },
        ),
        mapValues((value, { window }): Count => ({ start: window.start, clicks: value.clicks })),
        to(counts),
      );
    }
  }
}
