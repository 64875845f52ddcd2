type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';

const BLANK = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The index after the string that begins at `at`; for a broken string, minus the index of the error, minus one. */
function skipString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    const next = code === 0x5c ? skip(ESCAPE, text, i) : code < 0x20 ? i : i + 1;
    if (next === i) return -i - 1;
    i = next;
  }
  return -text.length - 1;
}

/**
 * The character index at which a text stops being JSON. JavaScript engines word their messages differently and often
 * omit the position, so it is computed here, only for texts that `JSON.parse` has refused.
 */
export function jsonErrorPosition(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = skip(BLANK, text, at);
    const char = text[at];
    if (char === undefined) return at;
    const start = at;
    if (expected === 'comma or end') {
      const inside = open.at(-1);
      if (char === ',' && inside !== undefined) expected = inside === '{' ? 'key' : 'value';
      else if ((char === '}' && inside === '{') || (char === ']' && inside === '[')) open.pop();
      else return at;
      at++;
    } else if (expected === 'colon') {
      if (char !== ':') return at;
      expected = 'value';
      at++;
    } else if ((expected === 'key or }' && char === '}') || (expected === 'value or ]' && char === ']')) {
      open.pop();
      expected = 'comma or end';
      at++;
    } else if (char === '"') {
      at = skipString(text, at);
      if (at < 0) return -at - 1;
      expected = expected.startsWith('key') ? 'colon' : 'comma or end';
    } else if (expected.startsWith('key')) {
      return at;
    } else if (char === '{' || char === '[') {
      open.push(char);
      expected = char === '{' ? 'key or }' : 'value or ]';
      at++;
    } else {
      at = skip(SCALAR, text, at);
      if (at === start) return at;
      expected = 'comma or end';
    }
  }
}
