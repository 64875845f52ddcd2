/** Where a command writes: data to `data`, everything else to `say`. */
export interface Output {
  /** Resolves when there is room for more. */
  data(text: string): Promise<void> | undefined;
  say(text: string): void;
  /** Whether data is read by a person. */
  readonly tty: boolean;
}

/**
 * The output of a process. A reader that has gone away (`| head`) ends the process quietly, with 0.
 *
 * @param raw - Control characters of records reach the terminal as they are.
 */
export function processOutput({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>, raw: boolean): Output {
  const tty = stdout.isTTY === true;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    tty,
    data(text) {
      if (stdout.write(tty && !raw ? harmless(text) : text)) return undefined;
      return new Promise((resolve) => stdout.once('drain', resolve));
    },
    say: (text) => void stderr.write(`${text}\n`),
  };
}

/** Text without what a terminal would obey: records hold what others wrote. */
export function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Rows as a table for people, or as one JSON object per line for programs. */
export async function writeRows(
  output: Output,
  rows: readonly Readonly<Record<string, string | number | boolean | null>>[],
  columns: readonly string[],
  asJson: boolean,
): Promise<void> {
  if (asJson || !output.tty) {
    for (const row of rows) await output.data(`${JSON.stringify(row)}\n`);
    return;
  }
  await output.data(`${table(rows, columns)}\n`);
}

/** Columns side by side, numbers to the right, under their names in capitals. */
export function table(
  rows: readonly Readonly<Record<string, string | number | boolean | null>>[],
  columns: readonly string[],
): string {
  const cells = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((row) => columns.map((name) => cell(row[name]))),
  ];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  const right = columns.map(
    (name) => rows.length > 0 && rows.every((row) => typeof row[name] === 'number' || row[name] === null),
  );
  return cells
    .map((row) =>
      row
        .map((text, column) =>
          right[column] === true ? text.padStart(widths[column] as number) : text.padEnd(widths[column] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const cell = (value: string | number | boolean | null | undefined): string =>
  value === null || value === undefined ? '-' : String(value);
