/** What the output stream can do. */
export interface Screen {
  readonly colour: boolean;
  /** Usable columns. */
  readonly width: number;
  /** Whether lines can be redrawn. */
  readonly live: boolean;
}

/** Checks a stream and the variables NO_COLOR, FORCE_COLOR and COLUMNS. */
export function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Screen {
  const live = stream.isTTY === true && env['TERM'] !== 'dumb';
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  const columns = stream.columns ?? Number(env['COLUMNS'] ?? 100);
  return { live, colour: !refused && (forced || live), width: Math.min(Math.max(columns || 100, 40), 120) };
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const CODES: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  cyan: '36',
};

/** Styled text, or plain text without colours. */
export function paint(screen: Screen, style: Style, text: string): string {
  return screen.colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/** `1234567` → `1,234,567`; fractions to one digit. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** `2001-03-04 17:00` for a time in milliseconds since the epoch; a dash for none. */
export function clockTime(time: number | undefined): string {
  return time === undefined ? '–' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}
