import { paint, type Screen } from './terminal.ts';

/** Counts all differences, and keeps descriptions of the first few. */
export class Differences {
  readonly first: string[] = [];
  found = 0;

  add(where: string, expected: unknown, actual: unknown): void {
    this.found += 1;
    if (this.first.length >= 10) return;
    this.first.push(
      `${where}: expected ${JSON.stringify(expected) ?? 'no row'}, found ${JSON.stringify(actual) ?? 'none'}`,
    );
  }
}

/** Compares rows by key: every expected row must occur exactly once, and no other rows. */
export function compareRows(
  expected: ReadonlyMap<string, unknown>,
  actual: Iterable<readonly [key: string, row: unknown]>,
  differences: Differences = new Differences(),
): Differences {
  const open = new Map(expected);
  for (const [key, row] of actual) {
    const wanted = open.get(key);
    open.delete(key);
    // A repeated or unexpected row has no partner here.
    if (JSON.stringify(wanted) !== JSON.stringify(row)) differences.add(key, wanted, row);
  }
  for (const [key, row] of open) differences.add(key, row, undefined);
  return differences;
}

/** Reports whether the result is right; sets the exit code to 1 if it is not. */
export function sayVerdict(screen: Screen, claim: string, { found, first }: Differences): void {
  if (found === 0) {
    console.log(`${paint(screen, 'green', '✓')} ${claim}`);
    return;
  }
  process.exitCode = 1;
  console.log(
    `${paint(screen, 'red', '✗')} ${found} differences between the result and a direct computation; the first ones:`,
  );
  for (const line of first) console.log(`  ${line}`);
}
