import { ConfigError } from '../index.ts';

/** A position in a partition. */
export type Mark =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** A number of offsets after the first record kept. */
  | { readonly kind: 'afterStart'; readonly count: number }
  /** A number of offsets before the end. */
  | { readonly kind: 'beforeEnd'; readonly count: number }
  | { readonly kind: 'time'; readonly time: number };

/** The range to read of each partition: from one position up to another (exclusive); without an end it continues. */
export interface Range {
  readonly from: Mark;
  readonly until: Mark | undefined;
}

/**
 * Parses the `-o` option of kcat and rpk: `beginning`, `start`, `end`, `stored`, `N`, `+N`, `-N`, `N:M`, `N:`, `:M`,
 * `:end`, `@TIME`, `@TIME:TIME`, `s@MS`, `e@MS`. A time is 10 or 13 digits, a date, RFC 3339, or `-1h`.
 *
 * @param now - The wall clock, for relative times.
 * @throws ConfigError `ERR_OPTION`
 */
export function parseRange(texts: readonly string[], now: number): Range {
  let from: Mark | undefined;
  let until: Mark | undefined;
  for (const text of texts) {
    const range = parseOne(text, now);
    if ((range.from !== undefined && from !== undefined) || (range.until !== undefined && until !== undefined)) {
      throw wrong(texts.join(' '), 'give one place to start and one to end');
    }
    from ??= range.from;
    until ??= range.until;
  }
  const range = { from: from ?? START, until };
  if (until !== undefined && endsBefore(range.from, until)) throw wrong(texts.join(' '), 'it ends before it starts');
  return range;
}

const START: Mark = { kind: 'start' };

/** Whether a position is before another one regardless of the topic. */
function endsBefore(from: Mark, until: Mark): boolean {
  if (from.kind === 'offset' && until.kind === 'offset') return until.offset < from.offset;
  if (from.kind === 'time' && until.kind === 'time') return until.time < from.time;
  return from.kind === 'end' && until.kind === 'start';
}

interface Part {
  readonly from?: Mark | undefined;
  readonly until?: Mark | undefined;
}

function parseOne(text: string, now: number): Part {
  if (text.startsWith('s@')) return { from: time(text, text.slice(2), now) };
  if (text.startsWith('e@')) return { until: time(text, text.slice(2), now) };
  if (text.startsWith('@')) return timeRange(text, now);
  const colon = text.indexOf(':');
  if (colon === -1) return { from: mark(text, text) };
  const [start, end] = [text.slice(0, colon), text.slice(colon + 1)];
  return {
    from: start === '' ? undefined : mark(text, start),
    until: end === '' ? undefined : mark(text, end),
  };
}

function mark(whole: string, text: string): Mark {
  switch (text) {
    case 'beginning':
    case 'start':
    case 'earliest':
    case 'oldest':
      return { kind: 'start' };
    case 'end':
    case 'latest':
    case 'newest':
      return { kind: 'end' };
    case 'stored':
      return { kind: 'stored' };
    default:
  }
  const [, sign, digits] = /^([+-]?)(\d{1,16})$/.exec(text) ?? [];
  const count = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(count)) {
    throw wrong(whole, 'such as beginning, end, stored, 100, +100, -100, 100:200, :end, @2026-01-31, @-1h, s@MS, e@MS');
  }
  if (sign === '+') return { kind: 'afterStart', count };
  return sign === '-' ? { kind: 'beforeEnd', count } : { kind: 'offset', offset: count };
}

/** A time may itself contain colons, so the separator is the colon with a valid time on both sides. */
function timeRange(text: string, now: number): Part {
  const body = text.slice(1);
  const whole = timeOf(body, now);
  if (whole !== undefined) return { from: { kind: 'time', time: whole } };
  for (let colon = body.indexOf(':'); colon !== -1; colon = body.indexOf(':', colon + 1)) {
    const from = timeOf(body.slice(0, colon), now);
    const rest = body.slice(colon + 1);
    if (from === undefined) continue;
    if (rest === '') return { from: { kind: 'time', time: from } };
    if (rest === 'end') return { from: { kind: 'time', time: from }, until: { kind: 'end' } };
    const until = timeOf(rest, now);
    if (until !== undefined) return { from: { kind: 'time', time: from }, until: { kind: 'time', time: until } };
  }
  throw badTime(text);
}

function time(whole: string, text: string, now: number): Mark {
  // kcat takes any number of ms there.
  const found = /^\d{1,13}$/.test(text) ? Number(text) : timeOf(text, now);
  if (found === undefined) throw badTime(whole);
  return { kind: 'time', time: found };
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds since the epoch; `undefined` for what is not a time. */
export function timeOf(text: string, now: number): number | undefined {
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  if (/^\d{13}$/.test(text)) return Number(text);
  const [, amount, unit = ''] = /^-(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, Math.round(now - Number(amount) * (UNITS[unit] as number)));
  if (!/^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?$/.test(text))
    return undefined;
  const zoned = /[Zz]$|[+-]\d{2}:?\d{2}$/.test(text.slice(10));
  const parsed = Date.parse(text.length > 10 && !zoned ? `${text}Z` : text);
  return Number.isNaN(parsed) || parsed < 0 ? undefined : parsed;
}

function badTime(text: string): ConfigError {
  return wrong(
    text,
    'a time is 10 or 13 digits, a date (2026-01-31), RFC 3339 (2026-01-31T12:00:00Z), or -1h; UTC without a zone',
  );
}

function wrong(text: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION', `${JSON.stringify(text)} is not a position in a topic`, { hint });
}
