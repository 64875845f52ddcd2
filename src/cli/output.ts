/** The output of a command: data goes to `data`, everything else to `say`. */
export interface Output {
  /** Resolves when there is room for more, or when the reader is gone. */
  data(text: string): Promise<void> | undefined;
  /** Resolves with whether the operating system has accepted the text. */
  deliver(text: string): Promise<boolean>;
  say(text: string): void;
  /** Whether data goes to a terminal. */
  readonly tty: boolean;
  /** Why data could not be written; undefined if its reader has simply gone away, as `| head` does. */
  readonly failure: Error | undefined;
}

/** Error codes of a reader that has gone away. */
const GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * The output of a process.
 *
 * @param raw - Whether control characters of records reach the terminal unescaped.
 * @param ended - Called when data can no longer be written, to end the command.
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
  // There is nowhere to report this.
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
    // Messages may quote data of others too: a header, the name of a group.
    say: (text) => void stderr.write(`${stderr.isTTY === true && !raw ? harmless(text) : text}\n`),
  };
}

/** Escapes control characters, because records contain data of others. */
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

/** A table with right-aligned numbers and column names in capitals: `writtenBy` as WRITTEN BY. */
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
