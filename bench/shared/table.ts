import { meetsTarget, type Row, showNumber } from './row.ts';

const TITLES = ['', 'unit', 'median', 'min', 'max', 'target', ''];

/** Rows as lines of text, names left and numbers right, and whether each target is met. */
export function tableLines(rows: readonly Row[]): string[] {
  const cells = [TITLES, ...rows.map(cellsOf)];
  const widths = TITLES.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells.map((row) =>
    row
      .map((cell, column) =>
        column < 2 || column === 6 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf(row: Row): string[] {
  const { higherIsBetter, max, median, min, name, target, unit } = row;
  const wanted = target === undefined ? '' : `${higherIsBetter ? '≥' : '≤'} ${showNumber(target)}`;
  const met = meetsTarget(row);
  const verdict = met === undefined ? '' : met ? 'met' : 'MISSED';
  return [name, unit, showNumber(median), showNumber(min), showNumber(max), wanted, verdict];
}
