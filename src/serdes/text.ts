type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;

/** Node's own UTF-8 decoder accepts a range, which avoids a view per record. Browsers have no such decoder. */
function findUtf8Slice(): Utf8Slice | undefined {
  const buffer: unknown = Reflect.get(globalThis, 'Buffer');
  if (typeof buffer !== 'function') return undefined;
  const slice: unknown = Reflect.get(Object(buffer.prototype), 'utf8Slice');
  if (typeof slice !== 'function') return undefined;
  try {
    const found = slice as Utf8Slice;
    return found.call(Uint8Array.of(0x61, 0xc3, 0xa9, 0x62), 1, 3) === 'é' ? found : undefined;
  } catch {
    return undefined;
  }
}

const utf8Slice = findUtf8Slice();
// Without ignoreBOM a leading U+FEFF would be dropped, and reading would not return what was written.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const scratch = new Uint8Array(8192);

/**
 * Below this length, a loop over characters is faster than a call into the engine; above it, results would be ropes.
 */
const SHORT = 12;

/** Decodes short ASCII in JavaScript; `undefined` if a byte is not ASCII. */
function decodeShort(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const a = bytes[i]!;
    const b = bytes[i + 1]!;
    const c = bytes[i + 2]!;
    const d = bytes[i + 3]!;
    if ((a | b | c | d) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; i < end; i++) {
    const a = bytes[i]!;
    if (a > 0x7f) return undefined;
    text += String.fromCharCode(a);
  }
  return text;
}

/** Whether a range is UTF-8 according to RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const lead = bytes[i++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    let rest = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (i + rest > end) return false;
    // Only the second byte has narrower bounds, which exclude overlong forms, surrogates and everything above U+10FFFF.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[i++]!;
    if (second < low || second > high) return false;
    while (--rest > 0) if ((bytes[i++]! & 0xc0) !== 0x80) return false;
  }
  return true;
}

/**
 * Reads a range as UTF-8; `undefined` if it is malformed. The engine replaces malformed bytes with U+FFFD, so only the
 * bytes of a text that contains one need checking.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT) {
    const text = decodeShort(bytes, start, end);
    if (text !== undefined) return text;
  }
  if (utf8Slice !== undefined) {
    const text = utf8Slice.call(bytes, start, end);
    return text.includes('\uFFFD') && !isUtf8(bytes, start, end) ? undefined : text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** Writes a well-formed text as UTF-8 into a new array. */
export function encodeUtf8(text: string): Uint8Array {
  const length = text.length;
  if (length <= 32) {
    const bytes = new Uint8Array(length);
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) break;
      bytes[i] = code;
    }
    if (i === length) return bytes;
  }
  if (length * 3 > scratch.length) return encoder.encode(text);
  return scratch.slice(0, encoder.encodeInto(text, scratch).written);
}

type IsWellFormed = (this: string) => boolean;
const native: unknown = Reflect.get(String.prototype, 'isWellFormed');
const nativeCheck = typeof native === 'function' ? (native as IsWellFormed) : undefined;

/** Whether a text has no lone surrogate, which UTF-8 cannot encode. */
export function isWellFormed(text: string): boolean {
  return nativeCheck === undefined ? !/\p{Surrogate}/u.test(text) : nativeCheck.call(text);
}
