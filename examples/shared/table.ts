/** A column of a table: its title and how wide its widest cell may get. */
export interface Column {
  readonly title: string;
  /** Numbers are right-aligned. */
  readonly align?: 'left' | 'right';
  /** Longer cells are truncated with an ellipsis. */
  readonly max?: number;
}

function fit(text: string, width: number, align: Column['align']): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return align === 'right' ? cut.padStart(width) : cut.padEnd(width);
}

/** Lines of a table with a header; columns are two spaces apart. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title, max = 40 }, i) =>
    Math.min(
      max,
      rows.reduce((widest, row) => Math.max(widest, row[i]?.length ?? 0), title.length),
    ),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, i) => fit(cells[i] ?? '', widths[i] ?? 0, align))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}
