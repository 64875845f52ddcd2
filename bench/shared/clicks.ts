import { seededRandom } from './measure.ts';

export interface Click {
  readonly userId: string;
  readonly url: string;
  readonly at: number;
  readonly referrer: string;
}

const USERS = 10_000;
/** Clicks per minute of event time: with 10,000 users most windows of a minute hold one or two clicks of a user. */
const PER_MINUTE = 10_000;
const START = 1_699_999_980_000;
const HOUR = 3_600_000;
const TAIL = 8_000;
/** Products that are clicked at. */
export const KINDS = 4_096;

const random = seededRandom(7);
const users = Uint16Array.from({ length: 1 << 20 }, () => Math.floor(random() * USERS));
const urls = Array.from({ length: KINDS }, (_, at) => `/products/${at}`);

const timeAt = (at: number): number => START + Math.floor((at * 60_000) / PER_MINUTE);

/**
 * When click number `at` of so many happens, where the last come after a break of an hour: they close all windows before
 * them. They lie in one window, so that none of theirs closes.
 */
export function timeWithBreak(at: number, count: number): number {
  if (at < count - TAIL) return timeAt(at);
  const beginning = Math.ceil((timeAt(count) + HOUR) / HOUR) * HOUR;
  return beginning + timeAt(at - count + TAIL) - START;
}

/** Click number `at` of a seeded stream: JSON text of 100 bytes. */
export function clickAt(
  at: number,
  timestamp: number = timeAt(at),
): { user: number; userId: string; timestamp: number; text: string } {
  const user = users[at & (users.length - 1)] as number;
  const userId = `user-${user}`;
  const head = `{"userId":"${userId}","url":"${urls[at % KINDS]}","at":${timestamp},"referrer":"`;
  return { user, userId, timestamp, text: `${head}${'x'.repeat(98 - head.length)}"}` };
}
