/** Where lines for people are written, such as `process.stderr`. @public */
export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The capabilities of a stream. */
export interface Screen {
  readonly colour: boolean;
  /** Usable columns. */
  readonly width: number;
  /** Whether lines can be redrawn. */
  readonly live: boolean;
}

const NARROWEST = 40;
const WIDEST = 160;
const USUAL = 100;

/** Determines the capabilities from a stream and from NO_COLOR, FORCE_COLOR, TERM and COLUMNS. */
export function screenOf(stream: TerminalStream, env: NodeJS.ProcessEnv = process.env): Screen {
  const live = stream.isTTY === true && env['TERM'] !== 'dumb';
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const refused = (env['NO_COLOR'] ?? '') !== '';
  const columns = stream.columns ?? Number(env['COLUMNS'] ?? USUAL);
  return {
    live,
    colour: !refused && (forced || live),
    width: Math.min(Math.max(columns || USUAL, NARROWEST), WIDEST),
  };
}

const CODES = { bold: '1', dim: '2', red: '31', yellow: '33', cyan: '36' } as const;

/** Text in a style, or plain without colour. */
export function paint({ colour }: Pick<Screen, 'colour'>, style: keyof typeof CODES, text: string): string {
  return colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/** Escapes control characters, so that data cannot control the terminal. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** `1234567` → `1,234,567`; fractions to one digit. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** `2001-03-04 17:00:00` for a time in ms since the epoch; the number if it is not a valid date, a dash for none. */
export function clockTime(time: number | undefined): string {
  if (time === undefined) return '–';
  return Math.abs(time) > 8.64e15 ? String(time) : new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}
