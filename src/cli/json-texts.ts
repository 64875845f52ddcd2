/**
 * The source texts of an object's fields in a line that is known to be JSON: parsing would round numbers and lose their
 * formatting.
 */
export function fieldTexts(line: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let at = pastSpace(line, line.indexOf('{') + 1);
  while (line[at] === '"') {
    const nameEnd = endOfString(line, at);
    const name = JSON.parse(line.slice(at, nameEnd)) as string;
    const start = pastSpace(line, pastSpace(line, nameEnd) + 1);
    const end = endOfValue(line, start);
    // As in JSON.parse, the last of several fields with one name counts.
    fields.set(name, line.slice(start, end));
    at = pastSpace(line, end);
    if (line[at] === ',') at = pastSpace(line, at + 1);
  }
  return fields;
}

/**
 * Finds a number that parsing would change, in a text that is known to be JSON, or a number itself: a whole number that would be
 * rounded, one that is too large, one so small that it would be zero, and one that would lose its fraction. Fractions are rounded, as
 * everybody expects, and so are numbers with an exponent.
 */
export function changedNumber(text: string): string | undefined {
  if (!/\d{16}|\d[eE]/.test(text)) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') {
      at = endOfString(text, at) - 1;
      continue;
    }
    if (!isNumeric(text.charCodeAt(at))) continue;
    const start = at;
    while (at + 1 < text.length && isNumeric(text.charCodeAt(at + 1))) at += 1;
    const number = text.slice(start, at + 1);
    if (/\d/.test(number) && isChanged(number)) return number;
  }
  return undefined;
}

function isChanged(text: string): boolean {
  const number = Number(text);
  if (!Number.isFinite(number)) return true;
  const [, whole, fraction = ''] = /^([+-]?\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  const isZero = number === 0 && /[1-9]/.test(text.replace(/[eE].*/, ''));
  if (whole === undefined || isZero) return isZero;
  // Of this size no double has a fraction.
  if (/[1-9]/.test(fraction)) return Math.abs(number) >= 2 ** 52;
  return BigInt(whole.replace('+', '')) !== BigInt(number);
}

/** The characters of numbers. The letter e also occurs in the words of JSON, the others do not. */
const isNumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x2b || code === 0x65 || code === 0x45;

function endOfValue(line: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const char = line[at];
    if (char === '"') {
      at = endOfString(line, at);
      continue;
    }
    if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (depth === 0) return endOfWord(line, at);
    at += 1;
  } while (depth > 0 && at < line.length);
  return at;
}

/** The end of a number, `true`, `false` or `null`. */
function endOfWord(line: string, start: number): number {
  let at = start;
  while (at < line.length && !/[\s,\]}]/.test(line[at] as string)) at += 1;
  return at;
}

function endOfString(line: string, start: number): number {
  for (let quote = line.indexOf('"', start + 1); quote !== -1; quote = line.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (line[quote - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  return line.length;
}

function pastSpace(line: string, start: number): number {
  let at = start;
  while (line[at] === ' ' || line[at] === '\t' || line[at] === '\n' || line[at] === '\r') at += 1;
  return at;
}
