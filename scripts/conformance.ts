/**
 * Runs recorded cases of event-time operators against the real ones: `npm run conformance -- DIR` (default test/vectors).
 * Prints a table per family and what differs. The last line is "N passed, N failed"; the exit code is 1 when a case fails.
 */
import { existsSync } from 'node:fs';
import { checkCase } from './conformance/check-case.ts';
import { openDiskStores } from './conformance/disk-stores.ts';
import { modes } from './conformance/modes.ts';
import { readVectors } from './conformance/read-vectors.ts';
import { type FamilyResult, failures, table, totals } from './conformance/report.ts';

const folder = process.argv[2] ?? 'test/vectors';
await using disk = await openDiskStores();
const all = modes(disk.stores);
const files = existsSync(folder) ? readVectors(folder) : [];
const results: FamilyResult[] = [];
const unknown: string[] = files.length === 0 ? [`${folder} has no vectors`] : [];
for (const file of files) {
  if ('problem' in file) {
    unknown.push(`${file.name} was left out: it ${file.problem}`);
    continue;
  }
  const { cases, family } = file.vectors;
  results.push({
    family,
    verdicts: cases.map((entry) => ({ name: entry.name, verdict: checkCase(family, entry, all) })),
  });
}
const { failed, passed } = totals(results);
for (const line of [...table(results, all), ...unknown, ...failures(results), '']) console.log(line);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
