/** Where a command writes: data to `data`, everything else to `say`. */
export interface Output {
  /** Resolves when there is room for more, or when nobody reads on. */
  data(text: string): Promise<void> | undefined;
  /** Resolves when the operating system has taken the text; with false when it has not. */
  deliver(text: string): Promise<boolean>;
  say(text: string): void;
  /** Whether data is read by a person. */
  readonly tty: boolean;
  /** Why data could not be written; nothing where its reader has just gone away, as `| head` does. */
  readonly failure: Error | undefined;
}

/** What a reader that has gone away leaves behind. */
const GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * The output of a process.
 *
 * @param raw - Control characters of records reach the terminal as they are.
 * @param ended - Called when data can no longer be written: the command is to come to an end.
 */
export function processOutput(
  { stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
  raw: boolean,
  ended: () => void,
): Output {
  const tty = stdout.isTTY === true;
  const waiting = new Set<() => void>();
  let closed = false;
  let failure: Error | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (closed) return;
    closed = true;
    if (!GONE.has(error.code ?? ''))
      failure = new Error(`the output cannot be written: ${error.message}`, { cause: error });
    for (const wake of waiting) wake();
    waiting.clear();
    ended();
  });
  // There is nobody to tell.
  stderr.on('error', () => undefined);
  const shown = (text: string): string => (tty && !raw ? harmless(text) : text);
  return {
    tty,
    get failure() {
      return failure;
    },
    data(text) {
      if (closed || stdout.write(shown(text))) return undefined;
      return new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        stdout.once('drain', wake);
      });
    },
    deliver: (text) =>
      closed
        ? Promise.resolve(false)
        : new Promise((resolve) => {
            stdout.write(shown(text), (error) => resolve(error === null || error === undefined));
          }),
    // What is told may quote what others wrote too: a header, the name of a group.
    say: (text) => void stderr.write(`${stderr.isTTY === true && !raw ? harmless(text) : text}\n`),
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

/** Columns side by side, numbers to the right, under their names in capitals: `writtenBy` as WRITTEN BY. */
export function table(
  rows: readonly Readonly<Record<string, string | number | boolean | null>>[],
  columns: readonly string[],
): string {
  const cells = [
    columns.map((name) => name.replace(/[A-Z]/g, ' $&').toUpperCase()),
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
