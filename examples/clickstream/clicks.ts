import { seeded } from '../shared/random.ts';

const FIRST = ['Ada', 'Alan', 'Barbara', 'Edsger', 'Frances', 'Grace', 'John', 'Katherine', 'Leslie', 'Tony'] as const;
const LAST = ['Allen', 'Dijkstra', 'Hoare', 'Hopper', 'Johnson', 'Lamport', 'Liskov', 'Lovelace', 'Turing'] as const;

/** Where people go from a page, with probabilities; otherwise they leave. */
const NEXT: Readonly<Record<string, readonly (readonly [page: string, share: number])[]>> = {
  '/': [
    ['/search', 0.65],
    ['/product', 0.2],
  ],
  '/search': [
    ['/product', 0.7],
    ['/search', 0.15],
  ],
  '/product': [
    ['/cart', 0.4],
    ['/product', 0.2],
    ['/search', 0.2],
  ],
  '/cart': [
    ['/checkout', 0.6],
    ['/product', 0.2],
  ],
};

/** Start of the clicks: noon, 3 June 2024, UTC. */
export const START = Date.UTC(2024, 5, 3, 12);
/** Two hours of clicks. */
export const LENGTH_MS = 2 * 3_600_000;

export interface Click {
  readonly timestamp: number;
  /** When it arrives. Clicks are published in this order. */
  readonly arrival: number;
  readonly value: { readonly userId: string; readonly url: string };
}

/** Ninety people by id, `u-00` to `u-89`. */
export const people: ReadonlyMap<string, { readonly name: string }> = new Map(
  FIRST.flatMap((first, i) => {
    return LAST.map((last, j) => [`u-${i}${j}`, { name: `${first} ${last}` }] as const);
  }),
);

/**
 * Clicks of visits, in order of arrival. Most are up to eight seconds late and out of order, which is within a grace of ten
 * seconds. Those of one visit in a hundred were stored on a phone without a network and come five to ten minutes late.
 */
export function generateClicks(count: number, seed: number): Click[] {
  const random = seeded(seed);
  const ids = [...people.keys()];
  const clicks: Click[] = [];
  while (clicks.length < count) {
    let time = START + Math.floor(random() * LENGTH_MS);
    // The exponent makes the first few people far busier than the rest.
    const userId = ids[Math.floor(random() ** 1.5 * ids.length)] ?? 'u-00';
    // Later clicks must close the minute of such a click, so there are none in the last quarter of an hour.
    const offline = random() < 1 / 100 && time < START + LENGTH_MS - 900_000;
    for (
      let url: string | undefined = '/';
      url !== undefined && time < START + LENGTH_MS;
      url = follow(url, random())
    ) {
      const delay = offline ? 300_000 + random() * 300_000 : random() * 8_000;
      clicks.push({ timestamp: time, arrival: time + Math.floor(delay), value: { userId, url } });
      time += 1_000 + Math.floor(random() * 12_000);
    }
  }
  return clicks.slice(0, count).sort((a, b) => a.arrival - b.arrival);
}

function follow(url: string, random: number): string | undefined {
  let rest = random;
  for (const [page, share] of NEXT[url] ?? []) {
    rest -= share;
    if (rest < 0) return page;
  }
  return undefined;
}

/** Whether the minute of a click is still open depends only on how late it arrived; see `generateClicks`. */
export function wasOffline({ arrival, timestamp }: Click): boolean {
  return arrival - timestamp >= 300_000;
}
