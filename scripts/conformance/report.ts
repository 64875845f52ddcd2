import type { Verdict } from './check-case.ts';
import type { Mode } from './modes.ts';
import { warts } from './warts.ts';

export interface FamilyResult {
  readonly family: string;
  readonly verdicts: readonly { readonly name: string; readonly verdict: Verdict }[];
}

/** Cases that hold and cases that fail; those that are not implemented are neither. */
export function totals(results: readonly FamilyResult[]): { readonly passed: number; readonly failed: number } {
  const kinds = results.flatMap(({ verdicts }) => verdicts.map(({ verdict }) => verdict.kind));
  const passed = kinds.filter((kind) => kind === 'passed' || kind === 'on purpose').length;
  return { passed, failed: kinds.filter((kind) => kind === 'failed').length };
}

/** A line per family, and what the columns mean. */
export function table(results: readonly FamilyResult[], modes: readonly Mode[]): string[] {
  const head = ['family', 'cases', 'passed', 'on purpose', 'failed', 'not impl.', ...modes.map(({ name }) => name)];
  const rows = results.map(({ family, verdicts }) => {
    const count = (kind: Verdict['kind']): string =>
      shown(verdicts.filter(({ verdict }) => verdict.kind === kind).length);
    const held = modes.map(({ name }) =>
      shown(verdicts.filter(({ verdict }) => verdict.kind !== 'not implemented' && verdict.held.has(name)).length),
    );
    const counts = [count('passed'), count('on purpose'), count('failed'), count('not implemented')];
    return [family, String(verdicts.length), ...counts, ...held];
  });
  return [
    ...aligned([head, ...rows]),
    '',
    'passed: every row as recorded, in every mode. on purpose: differs from the recorded rows as the tags allow, and agrees',
    'with the model of our own rules; counted as passed below. The columns from "plain" on count cases that hold in that mode.',
    ...onPurpose(results),
  ];
}

/** Per failed case what differs, once where several modes fail in the same way. */
export function failures(results: readonly FamilyResult[]): string[] {
  return results.flatMap(({ family, verdicts }) =>
    verdicts.flatMap(({ name, verdict }) => {
      if (verdict.kind !== 'failed') return [];
      const modesByText = new Map<string, string[]>();
      for (const { lines, mode } of verdict.problems) {
        const text = lines.map((line) => `  ${line}`).join('\n');
        modesByText.set(text, [...(modesByText.get(text) ?? []), mode]);
      }
      return [...modesByText].flatMap(([text, modes]) => ['', `${family}: ${name} (${modes.join('; ')})`, text]);
    }),
  );
}

function onPurpose(results: readonly FamilyResult[]): string[] {
  const tags = results.flatMap(({ verdicts }) =>
    verdicts.flatMap(({ verdict }) => (verdict.kind === 'on purpose' ? verdict.tags : [])),
  );
  const counts = new Map<string, number>();
  for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => `${tag}: ${count}, ${warts[tag]}`);
}

function shown(count: number): string {
  return count === 0 ? '–' : String(count);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
