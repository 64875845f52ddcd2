import type { MonoTypeOperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkMethods, checkNames, checkText, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { preview } from '../options/preview.ts';
import { clockTime, grouped, harmless, paint, type Screen, screenOf, type TerminalStream } from './terminal-stream.ts';

/** @public */
export interface InspectOptions {
  /** Names the place, if you inspect several. */
  readonly label?: string;
  /** The most rows to print per second and task (default: 20); further rows are only counted. */
  readonly perSecond?: number;
  /** Where to print (default: `process.stderr`). */
  readonly stream?: TerminalStream;
}

const INSPECT_OPTIONS: OptionNames<InspectOptions> = { label: true, perSecond: true, stream: true };

/** The parts of a record that are shown. */
interface Shown {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly window?: { readonly start: number; readonly end: number };
}

/**
 * Prints passing records as a table without changing them, to look at a step while you write a pipeline. Control
 * characters are escaped, and long values are cut to the width of the terminal.
 *
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { inspect, int32, mapValues, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const prices = topic('prices', { key: string(), value: int32() });
 * const stream = { write: (line: string) => console.log(line.trimEnd()) };
 * const pipeline = prices.pipe(mapValues((cents) => ({ cents })), inspect({ label: 'cents', stream }));
 * new TestDriver(pipeline).pipe(prices, { key: 'tea', value: 350, timestamp: 0 });
 * // => cents     time                 place        key     value
 * // => cents     1970-01-01 00:00:00  prices/0@0   "tea"   {cents: 350}
 * ```
 * @public
 */
export function inspect<R extends Shown>(options: InspectOptions = {}): MonoTypeOperatorFunction<R> {
  checkNames('inspect', options, INSPECT_OPTIONS);
  checkText('inspect', 'label', options.label);
  checkWhole('inspect', 'perSecond', options.perSecond, 1);
  checkMethods('inspect', 'stream', options.stream, ['write']);
  const { label, perSecond = 20, stream = process.stderr } = options;
  // Column widths grow with the shown values, for all tasks together.
  const table = new Table(stream, screenOf(stream), label);
  return operator<R, R>({
    name: 'inspect',
    keepsTime: true,
    ...(label === undefined ? {} : { detail: label }),
    create({ out, task }) {
      let second = Number.NEGATIVE_INFINITY;
      let shown = 0;
      let more = 0;
      return (record) => {
        const now = task.clock.monotonic();
        if (now - second >= 1000) {
          if (more > 0) table.say(`… ${grouped(more)} more`);
          second = now;
          shown = 0;
          more = 0;
        }
        if (shown < perSecond) {
          shown += 1;
          table.row(record);
        } else more += 1;
        out.next(record);
      };
    },
  });
}

/** Number of rows between two headings. */
const HEADING_EVERY = 40;

class Table {
  readonly #stream: TerminalStream;
  readonly #screen: Screen;
  readonly #label: string | undefined;
  /** Widths of place and key. */
  readonly #widths = [10, 5];
  #rows = 0;

  constructor(stream: TerminalStream, screen: Screen, label: string | undefined) {
    this.#stream = stream;
    this.#screen = screen;
    this.#label = label === undefined ? undefined : harmless(label);
  }

  row(record: Shown): void {
    const { key, offset, partition, timestamp, topic, value, window } = record;
    const place = topic === undefined ? '' : harmless(`${topic}/${partition}@${offset}`);
    const keyText = harmless(preview(key, 30));
    const time =
      window === undefined ? clockTime(timestamp) : `${clockTime(window.start)} to ${clockTime(window.end).slice(11)}`;
    this.#widths[0] = Math.max(this.#widths[0] as number, place.length);
    this.#widths[1] = Math.max(this.#widths[1] as number, keyText.length);
    if (this.#rows % HEADING_EVERY === 0) this.#line('dim', 'time', 'place', 'key', 'value');
    this.#rows += 1;
    this.#line(undefined, time, place, keyText, harmless(preview(value, this.#screen.width)));
  }

  say(text: string): void {
    this.#stream.write(`${paint(this.#screen, 'dim', `${this.#before()}${text}`)}\n`);
  }

  #before(): string {
    return this.#label === undefined ? '' : `${this.#label.padEnd(8)}  `;
  }

  #line(style: 'dim' | undefined, time: string, place: string, key: string, value: string): void {
    const [placeWidth = 0, keyWidth = 0] = this.#widths;
    const text = `${this.#before()}${time.padEnd(19)}  ${place.padEnd(placeWidth)}   ${key.padEnd(keyWidth)}   ${value}`;
    const cut = text.length > this.#screen.width ? `${text.slice(0, this.#screen.width - 1)}…` : text;
    this.#stream.write(`${style === undefined ? cut : paint(this.#screen, style, cut)}\n`);
  }
}
