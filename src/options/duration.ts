import { ConfigError } from '../errors.ts';

/** A length of time with its unit, such as `'500ms'`, `'10s'`, `'1m'`, `'1.5h'` or `'7d'`. @public */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A duration in whole milliseconds.
 *
 * @param name - The name of the option, for the error message.
 * @throws ConfigError `ERR_DURATION` if the text is not a duration, is negative, or is not a whole number of
 * milliseconds.
 */
export function durationMs(duration: Duration, name: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const exact = match === null ? Number.NaN : Number(match[1]) * (UNIT_MS[match[2] as string] as number);
  const ms = Math.round(exact);
  // In floating point, 1.1 s is 1100.0000000000002 ms, which should count as whole.
  if (!Number.isSafeInteger(ms) || Math.abs(exact - ms) > 1e-6) {
    throw new ConfigError(
      'ERR_DURATION',
      `${name} is ${JSON.stringify(duration)}, which is not a duration in whole milliseconds`,
      {
        hint: "write a number with its unit, such as '500ms', '10s', '1m', '1h' or '7d'",
      },
    );
  }
  return ms;
}

/** The `idle` option in ms. @throws ConfigError `ERR_DURATION`, and `ERR_OPTION` for zero. */
export function idleMsOf(where: string, idle: Duration): number {
  const ms = durationMs(idle, `${where}: idle`);
  if (ms > 0) return ms;
  throw new ConfigError('ERR_OPTION', `${where}: idle is ${idle}`, { hint: "give more than 0, such as '30s'" });
}

/** Like {@link durationMs}, for durations that may be negative: `'-5s'`. */
export function signedDurationMs(duration: Duration, name: string): number {
  if (typeof duration !== 'string' || !duration.startsWith('-')) return durationMs(duration, name);
  const ms = durationMs(duration.slice(1) as Duration, name);
  return ms === 0 ? 0 : -ms;
}

/** The shortest way to write a number of milliseconds, for messages and graphs: 90000 is `90s`. */
export function formatMs(ms: number): Duration {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
