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
const KINDS = 4_096;

const random = seededRandom(7);
const users = Uint16Array.from({ length: 1 << 20 }, () => Math.floor(random() * USERS));
const urls = Array.from({ length: KINDS }, (_, at) => `/products/${at}`);

/** Click number `at` of a seeded stream: JSON text of 100 bytes. */
export function clickAt(at: number): { user: number; userId: string; timestamp: number; text: string } {
  const user = users[at & (users.length - 1)] as number;
  const userId = `user-${user}`;
  const timestamp = START + Math.floor((at * 60_000) / PER_MINUTE);
  const head = `{"userId":"${userId}","url":"${urls[at % KINDS]}","at":${timestamp},"referrer":"`;
  return { user, userId, timestamp, text: `${head}${'x'.repeat(98 - head.length)}"}` };
}
