/** The deepest nesting to show; deeper values are shown as `…`. */
const MAX_DEPTH = 6;
/** The most bytes to show of binary data. */
const MAX_BYTES = 32;

/**
 * Formats a value for people, in at most about `maxChars` characters. The cost depends on what is shown, not on the
 * size of the value: only the start of a 100 MB string is read.
 */
export function preview(value: unknown, maxChars: number): string {
  const text = new BoundedText(maxChars);
  write(text, value, 0);
  return text.done();
}

/** Collects text up to a maximum length. */
class BoundedText {
  readonly #max: number;
  #text = '';
  #cut = false;

  constructor(max: number) {
    this.#max = max;
  }

  get room(): number {
    return this.#max - this.#text.length;
  }

  add(part: string): void {
    if (part.length > this.room) this.#cut = true;
    if (this.room > 0) this.#text += part.slice(0, this.room);
  }

  done(): string {
    return this.#cut ? `${this.#text}…` : this.#text;
  }
}

function write(text: BoundedText, value: unknown, depth: number): void {
  if (text.room <= 0) text.add(' ');
  else if (typeof value === 'string') writeString(text, value);
  else if (typeof value === 'bigint') text.add(`${value}n`);
  else if (typeof value === 'function') text.add('function');
  else if (typeof value !== 'object' || value === null) text.add(String(value));
  else if (ArrayBuffer.isView(value)) writeBytes(text, value);
  else if (value instanceof Date) text.add(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString());
  else if (depth >= MAX_DEPTH) text.add('…');
  else if (Array.isArray(value)) writeAll(text, '[', value, ']', (each) => write(text, each, depth + 1));
  else if (value instanceof Set) writeAll(text, 'Set[', value, ']', (each) => write(text, each, depth + 1));
  else if (value instanceof Map) writeEntries(text, 'Map{', value, depth);
  else writeEntries(text, '{', fieldsOf(value), depth);
}

function writeString(text: BoundedText, value: string): void {
  // One character more than fits, to detect that it is cut.
  text.add(JSON.stringify(value.length > text.room ? value.slice(0, text.room + 1) : value));
}

function writeBytes(text: BoundedText, { buffer, byteLength, byteOffset }: ArrayBufferView): void {
  const head = new Uint8Array(buffer, byteOffset, Math.min(byteLength, MAX_BYTES));
  const hex = Array.from(head, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  text.add(`<${byteLength} bytes${byteLength === 0 ? '' : `: ${hex}`}${byteLength > MAX_BYTES ? ' …' : ''}>`);
}

function writeEntries(
  text: BoundedText,
  open: string,
  entries: Iterable<readonly [unknown, unknown]>,
  depth: number,
): void {
  writeAll(text, open, entries, '}', ([name, value]) => {
    if (typeof name === 'string' && /^[A-Za-z_$][\w$]*$/.test(name.slice(0, 100))) text.add(name);
    else write(text, name, depth + 1);
    text.add(': ');
    write(text, value, depth + 1);
  });
}

function writeAll<T>(text: BoundedText, open: string, all: Iterable<T>, close: string, each: (one: T) => void): void {
  text.add(open);
  let first = true;
  for (const one of all) {
    if (!first) text.add(', ');
    first = false;
    if (text.room <= 0) break;
    each(one);
  }
  text.add(close);
}

/** The own fields of an object, one by one; a getter that throws is shown as unreadable. */
function* fieldsOf(value: object): Generator<readonly [string, unknown]> {
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    yield [name, fieldOf(value, name)];
  }
}

function fieldOf(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return 'cannot be read';
  }
}
