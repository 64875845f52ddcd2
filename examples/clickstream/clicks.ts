import { seeded } from '../shared/random.ts';

const FIRST = ['Ada', 'Alan', 'Barbara', 'Edsger', 'Frances', 'Grace', 'John', 'Katherine', 'Leslie', 'Tony'] as const;
const LAST = ['Allen', 'Dijkstra', 'Hoare', 'Hopper', 'Johnson', 'Lamport', 'Liskov', 'Lovelace', 'Turing'] as const;
const PAGES = ['/', '/search', '/product', '/cart', '/checkout'] as const;

/** Start of the clicks: noon, 3 June 2024, UTC. */
export const START = Date.UTC(2024, 5, 3, 12);
/** Two hours of clicks. */
export const LENGTH_MS = 2 * 3_600_000;

export interface ClickRecord {
  readonly timestamp: number;
  readonly value: { readonly userId: string; readonly url: string };
}

/** Ninety people by id, `u-00` to `u-89`. */
export const people: ReadonlyMap<string, { readonly name: string }> = new Map(
  FIRST.flatMap((first, i) => {
    return LAST.map((last, j) => [`u-${i}${j}`, { name: `${first} ${last}` }] as const);
  }),
);

/**
 * Clicks in order of arrival. Most are up to eight seconds out of order, which the pipeline's grace of ten seconds
 * forgives; one in three hundred was stored on a phone without a network and arrives five to ten minutes late.
 */
export function generateClicks(count: number, seed: number): ClickRecord[] {
  const random = seeded(seed);
  const ids = [...people.keys()];
  return Array.from({ length: count }, (_, i) => {
    const arrival = START + Math.floor((i / count) * LENGTH_MS);
    // The square makes the first few people far busier than the rest.
    const userId = ids[Math.floor(random() ** 2 * ids.length)] ?? 'u-00';
    const url = PAGES[Math.floor(random() * PAGES.length)] ?? '/';
    const offline = arrival > START + 900_000 && random() < 1 / 300;
    const delay = offline ? 300_000 + random() * 300_000 : random() * 8_000;
    return { timestamp: arrival - Math.floor(delay), value: { userId, url } };
  });
}

/** How late a click arrived decides alone whether its minute is still open, see `generateClicks`. */
export function wasOffline(click: ClickRecord, position: number, count: number): boolean {
  return START + Math.floor((position / count) * LENGTH_MS) - click.timestamp >= 300_000;
}
