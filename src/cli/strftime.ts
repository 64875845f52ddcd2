const two = (value: number): string => String(value).padStart(2, '0');
const name = (options: Intl.DateTimeFormatOptions): ((date: Date) => string) => {
  const format = new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' });
  return (date) => format.format(date);
};
const day = (date: Date): string => date.toISOString().slice(0, -'T00:00:00.000Z'.length);
const minutes = (date: Date): string => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
const seconds = (date: Date): string => two(date.getUTCSeconds());
const yearDay = (date: Date): number =>
  Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000) + 1;

/** The letters of strftime that are understood, in UTC and English. */
const LETTERS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => two(date.getUTCFullYear() % 100),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(date.getUTCHours() % 12 || 12),
  M: (date) => two(date.getUTCMinutes()),
  S: seconds,
  L: (date) => String(date.getUTCMilliseconds()).padStart(3, '0'),
  f: (date) => `${String(date.getUTCMilliseconds()).padStart(3, '0')}000`,
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  j: (date) => String(yearDay(date)).padStart(3, '0'),
  u: (date) => String(date.getUTCDay() || 7),
  w: (date) => String(date.getUTCDay()),
  a: name({ weekday: 'short' }),
  A: name({ weekday: 'long' }),
  b: name({ month: 'short' }),
  h: name({ month: 'short' }),
  B: name({ month: 'long' }),
  F: day,
  T: (date) => `${minutes(date)}:${seconds(date)}`,
  R: minutes,
  D: (date) => `${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}/${two(date.getUTCFullYear() % 100)}`,
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  z: () => '+0000',
  Z: () => 'UTC',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};

/**
 * A function that prints timestamps (milliseconds since the epoch) as a pattern of strftime says, in UTC; `%L` is
 * milliseconds. A timestamp that is no date is printed as a number.
 *
 * @returns The first unknown letter instead, if there is one.
 */
export function strftime(pattern: string): ((timestamp: number) => string) | { readonly unknown: string } {
  for (const [, letter = ''] of pattern.matchAll(/%(.?)/gs)) {
    if (!Object.hasOwn(LETTERS, letter)) return { unknown: letter };
  }
  return (timestamp) => {
    const date = new Date(timestamp);
    if (Number.isNaN(date.getTime())) return String(timestamp);
    return pattern.replaceAll(/%(.)/gs, (_, letter: string) => LETTERS[letter]!(date));
  };
}
