/** Consecutive lines, both ends inclusive. */
export type Span = readonly [first: number, last: number];

/** The lines up to the last one, without the missing ones, which are in ascending order. */
export function spansWithout(last: number, missing: readonly number[]): readonly Span[] {
  const found: Span[] = [];
  let first = 1;
  for (const gap of [...missing, last + 1]) {
    if (gap > first) found.push([first, gap - 1]);
    first = gap + 1;
  }
  return found;
}

/** Numbers in ascending order as spans. */
export function spansOf(numbers: readonly number[]): readonly Span[] {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const open = found[found.length - 1];
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else found.push([number, number]);
  }
  return found;
}

/** The most spans to list. */
const TOLD = 10;

/** Such as `lines 1 to 6, 8`. */
export function inWords(spans: readonly Span[]): string {
  const one = spans.length === 1 && spans[0]?.[0] === spans[0]?.[1];
  const told = spans.slice(0, TOLD).map(([first, last]) => (first === last ? String(first) : `${first} to ${last}`));
  return `${one ? 'line' : 'lines'} ${told.join(', ')}${spans.length > TOLD ? ', …' : ''}`;
}
