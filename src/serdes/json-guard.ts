/** The most levels of nested arrays and objects in a payload. */
export const MAX_DEPTH = 100;

/** Counts levels, ignoring brackets inside strings. */
function exactlyDeeper(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/**
 * Whether JSON is nested deeper than {@link MAX_DEPTH}. Most texts have few brackets, and jumping from one to the next
 * costs a fraction of parsing; only a text with more than a hundred is read character by character.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_DEPTH) return false;
  let opened = 0;
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    if (++opened > MAX_DEPTH) return exactlyDeeper(text);
  }
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    if (++opened > MAX_DEPTH) return exactlyDeeper(text);
  }
  return false;
}

/** Whether a text may contain the key `__proto__`: in plain text, or hidden in escapes such as `\u005f`. */
export function mayHoldUnsafeKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u00');
}

/** Whether a parsed value has the key `__proto__` anywhere. The depth has already been checked. */
export function hasUnsafeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasUnsafeKey);
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasUnsafeKey);
}
