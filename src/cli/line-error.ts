import { MillraceError, RecordError } from '../index.ts';

/** An error of one line of input, whose message names it. */
export class LineError extends MillraceError {
  /** The error itself. */
  readonly of: MillraceError;

  constructor(line: number, of: MillraceError) {
    const { code, errorClass, hint } = of;
    const details = { cause: of, ...(hint === undefined ? {} : { hint }) };
    super(errorClass, code, `line ${line}: ${withoutHint(of)}`, details);
    this.of = of;
  }
}

/** The error with the line that it comes from. */
export const atLine = (line: number, error: unknown): unknown =>
  error instanceof MillraceError ? new LineError(line, error) : error;

/** The error for a line whose text cannot be encoded. */
export function badText(problem: string, hint: string, cause?: unknown): RecordError {
  return new RecordError('ERR_ENVELOPE', problem, { hint, ...(cause === undefined ? {} : { cause }) });
}

/** The message without the hint. */
export function withoutHint({ hint, message }: MillraceError): string {
  const end = ` – ${hint}`;
  return hint !== undefined && message.endsWith(end) ? message.slice(0, -end.length) : message;
}
