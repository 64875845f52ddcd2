const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;
const encoder = new TextEncoder();

/** Murmur2 as Java's Kafka client computes it: a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const tail = length & ~3;
  let h = SEED ^ length;
  for (let i = 0; i < tail; i += 4) {
    h = mix(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  const rest = length - tail;
  if (rest === 3) h ^= bytes[tail + 2]! << 16;
  if (rest >= 2) h ^= bytes[tail + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ bytes[tail]!, M);
  return finish(h);
}

/** Murmur2 of the UTF-8 bytes of a text, without allocating for ASCII. */
export function murmur2Text(text: string): number {
  const length = text.length;
  const tail = length & ~3;
  let h = SEED ^ length;
  let seen = 0;
  for (let i = 0; i < tail; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    h = mix(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  const rest = length - tail;
  const last = rest >= 1 ? text.charCodeAt(tail) : 0;
  const second = rest >= 2 ? text.charCodeAt(tail + 1) : 0;
  const third = rest === 3 ? text.charCodeAt(tail + 2) : 0;
  if ((seen | last | second | third) >= 0x80) return murmur2(encoder.encode(text));
  h ^= (third << 16) | (second << 8);
  if (rest >= 1) h = Math.imul(h ^ last, M);
  return finish(h);
}

/**
 * The partition of a key, the same one that Java's producer chooses.
 *
 * @param partitions - Number of partitions of the topic, 1 or more.
 */
export function partitionForKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

/** Like {@link partitionForKey}, for a key that is written as UTF-8 text. */
export function partitionForText(key: string, partitions: number): number {
  return (murmur2Text(key) & 0x7fff_ffff) % partitions;
}

function mix(h: number, word: number): number {
  const k = Math.imul(word, M);
  return Math.imul(h, M) ^ Math.imul(k ^ (k >>> 24), M);
}

function finish(h: number): number {
  const a = Math.imul(h ^ (h >>> 13), M);
  return a ^ (a >>> 15);
}
