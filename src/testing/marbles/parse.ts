import { ConfigError } from '../../errors.ts';
import type { Window } from '../../record.ts';
import type { MarbleAct, MarbleCell, MarbleItem, MarbleLine, MarbleRow } from './cells.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /(\d+(?:\.\d+)?(?:ms|s|m|h|d))+|0/y;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy;
const WORD = /[^\s\-:()[\]{}|,"]+/y;
const LITERALS: Readonly<Record<string, unknown>> = { null: null, true: true, false: false };

/**
 * Parses a diagram: one line per topic, with a name, a space and cells.
 *
 * @param values - The values of words.
 * @throws ConfigError `ERR_DIAGRAM` with the line and column of the error
 */
export function parseDiagram(text: string, values: Readonly<Record<string, unknown>>): MarbleLine[] {
  return text.split('\n').flatMap((line, at): MarbleLine[] => {
    const start = /^(\s*(\S+)\s+)\S/.exec(line);
    if (start === null) {
      if (line.trim() === '') return [];
      throw unreadable(line, at + 1, line.trimEnd().length, 'a name, a space and what happens');
    }
    const [, before = '', name = ''] = start;
    return [{ name, number: at + 1, cells: new LineReader(line, at + 1, before.length, values).cells() }];
  });
}

/** One line, read from left to right. */
class LineReader {
  readonly #line: string;
  readonly #number: number;
  readonly #values: Readonly<Record<string, unknown>>;
  #at: number;

  constructor(line: string, number: number, at: number, values: Readonly<Record<string, unknown>>) {
    this.#line = line;
    this.#number = number;
    this.#at = at;
    this.#values = values;
  }

  cells(): MarbleCell[] {
    const cells: MarbleCell[] = [];
    for (;;) {
      while (this.#peek() === '-' || this.#peek() === ' ') this.#at += 1;
      if (this.#peek() === undefined) return cells;
      const column = this.#at;
      const item = this.#item();
      cells.push({ item, column, text: this.#line.slice(column, this.#at) });
    }
  }

  /** The next character; undefined at the end of the line. */
  #peek(): string | undefined {
    return this.#line[this.#at];
  }

  #item(): MarbleItem {
    return this.#act() ?? this.#row();
  }

  #act(): MarbleAct | undefined {
    const act = { '|': 'end', '!': 'crash', '^': 'commit', '+': 'advance' }[this.#peek() ?? ''];
    if (act === undefined) return undefined;
    this.#at += 1;
    return act === 'advance' ? { kind: act, ms: this.#span() } : ({ kind: act } as MarbleAct);
  }

  #row(): MarbleRow {
    const key = this.#value('a key');
    const window = this.#window();
    this.#expect(':');
    const value = this.#value('a value');
    let timestamp: number | undefined;
    if (this.#peek() === '(') {
      this.#at += 1;
      timestamp = this.#span();
      this.#expect(')');
    }
    const missed: Window[] = [];
    for (let each = this.#window(); each !== undefined; each = this.#window()) missed.push(each);
    return { kind: 'row', key, window, value, timestamp, missed: missed.length === 0 ? undefined : missed };
  }

  #window(): Window | undefined {
    if (this.#peek() !== '[') return undefined;
    this.#at += 1;
    const start = this.#span();
    this.#expect(',');
    const end = this.#peek() === '∞' ? this.#endless() : this.#span();
    if (this.#peek() !== ')' && this.#peek() !== ']') throw this.#wrong('the end of the window, as in [0s,60s)');
    this.#at += 1;
    return { start, end };
  }

  #endless(): number {
    this.#at += 1;
    return Number.POSITIVE_INFINITY;
  }

  #value(what: string): unknown {
    if (this.#peek() === '"' || this.#peek() === '{' || (this.#peek() === '[' && what === 'a value'))
      return this.#json();
    const number = this.#match(NUMBER);
    const rest = this.#match(WORD);
    if (number !== undefined && rest === undefined) return Number(number);
    const word = `${number ?? ''}${rest ?? ''}`;
    if (word === '') throw this.#wrong(what);
    if (Object.hasOwn(this.#values, word)) return this.#values[word];
    return Object.hasOwn(LITERALS, word) ? LITERALS[word] : word;
  }

  #json(): unknown {
    const start = this.#at;
    let depth = 0;
    let quoted = false;
    do {
      const letter = this.#peek();
      if (letter === undefined) throw this.#wrong(quoted ? 'a closing "' : 'a closing bracket');
      if (quoted && letter === '\\') this.#at += 1;
      else if (letter === '"') quoted = !quoted;
      else if (!quoted && (letter === '{' || letter === '[')) depth += 1;
      else if (!quoted && (letter === '}' || letter === ']')) depth -= 1;
      this.#at += 1;
    } while (depth > 0 || quoted);
    try {
      return JSON.parse(this.#line.slice(start, this.#at));
    } catch {
      this.#at = start;
      throw this.#wrong('JSON');
    }
  }

  /** A time or duration: `1s`, `1m30s`, `0`. */
  #span(): number {
    const from = this.#at;
    const text = this.#match(SPAN);
    const ms = [...(text ?? '').matchAll(PART)].reduce((sum, [, number, unit]) => {
      return sum + Number(number) * (UNIT_MS[unit as string] as number);
    }, 0);
    const whole = Math.round(ms);
    if (text !== undefined && Math.abs(whole - ms) < 1e-6) return whole;
    this.#at = from;
    throw this.#wrong('a time in whole milliseconds, such as 1s, 1m30s or 0');
  }

  #expect(letter: string): void {
    if (this.#peek() !== letter) throw this.#wrong(letter === ':' ? ': and a value' : letter);
    this.#at += 1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#line) ?? [];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }

  #wrong(wanted: string): ConfigError {
    return unreadable(this.#line, this.#number, this.#at, wanted);
  }
}

/** @param at - Column in the line, from 0. */
export function unreadable(line: string, number: number, at: number, wanted: string): ConfigError {
  return new ConfigError(
    'ERR_DIAGRAM',
    `line ${number}, column ${at + 1} of a marble diagram: expected ${wanted}\n  ${line}\n  ${' '.repeat(at)}^\n`,
    { hint: 'a cell is key:value(time), as in --ada:1(5s)--ada:null(7s)--|' },
  );
}
