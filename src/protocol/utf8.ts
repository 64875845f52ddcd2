const encoder = new TextEncoder();
/** Up to here a loop in JavaScript beats the call into the encoder. */
const LOOP_LIMIT = 48;

/** The most bytes that the UTF-8 form of a text may take. */
export function maxUtf8Bytes(text: string): number {
  return text.length * 3;
}

/**
 * Writes a text as UTF-8 and returns the position after it. A lone surrogate becomes U+FFFD. The caller has made room
 * for `maxUtf8Bytes`.
 */
export function writeUtf8(bytes: Uint8Array, position: number, text: string): number {
  const length = text.length;
  if (length > LOOP_LIMIT) return position + encoder.encodeInto(text, bytes.subarray(position)).written;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) {
      // All before is ASCII, so the cut does not part a surrogate pair.
      const rest = i === 0 ? text : text.slice(i);
      return position + i + encoder.encodeInto(rest, bytes.subarray(position + i)).written;
    }
    bytes[position + i] = unit;
  }
  return position + length;
}
