/** The most names to list in a hint. */
const LISTED = 20;

/** The candidate most similar to a name, if it is similar enough for a typo. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

/** A hint with the most similar name, or a list of the names. */
export function meant(name: string, names: readonly string[]): string {
  const near = nearest(
    name,
    names.filter((each) => each !== name),
  );
  const more = names.length > LISTED ? `, … (${names.length})` : '';
  return near === undefined ? `there are ${names.slice(0, LISTED).join(', ')}${more}` : `did you mean ${near}?`;
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + same));
    }
    row = next;
  }
  return row[right.length] as number;
}
