/** Fields in double quotes may contain commas and doubled quotes; line breaks inside fields are not supported. */
function fields(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const out: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    out.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
  }
  return out;
}

/**
 * Parses comma-separated text with a header line.
 *
 * @param columns - The columns to take, by name; they must be in the header.
 * @returns One object per line, all fields as text.
 */
export function parseCsv<C extends string>(text: string, columns: readonly C[]): Record<C, string>[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = fields(header);
  const positions = columns.map((column) => {
    const position = names.indexOf(column);
    if (position < 0) throw new Error(`no column "${column}" among ${names.join(', ')}`);
    return [column, position] as const;
  });
  return lines.map((line) => {
    const values = fields(line);
    return Object.fromEntries(positions.map(([column, position]) => [column, values[position] ?? ''])) as Record<
      C,
      string
    >;
  });
}
