import { checkNames } from '../../options/option-checks.ts';
import { CheckFailed } from '../assertion-error.ts';
import type { TestDriver } from '../test-driver.ts';
import type { MarbleLine, MarbleRow } from './cells.ts';
import { type DrawnLine, drawn, widthsOf } from './draw.ts';
import { parseDiagram } from './parse.ts';
import { type AnyTarget, play, type Sides, sidesOf } from './play.ts';
import { itemText, rowText } from './show.ts';

/** A topic that a marble diagram has a line for. @public */
export interface MarbleTopic {
  readonly name: string;
}

/** @public */
export interface MarbleOptions {
  /** The values of words: with `{ order: { id: 1, total: 5 } }` a cell can be `ada:order(1s)`. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** The time that `0s` represents, in ms since the epoch (default: 0). */
  readonly start?: number;
}

/**
 * Plays the input lines of a marble diagram and returns the diagram with the actual results in its output lines.
 *
 * @param driver - Runs the pipeline. It may have been used before.
 * @param topics - The topics of the lines.
 * @param diagram - Lines with a name and cells; see {@link expectMarbles}. The contents of output lines are ignored.
 * @throws ConfigError `ERR_DIAGRAM`, and what the driver throws.
 * @public
 */
export function playMarbles(
  driver: TestDriver,
  topics: readonly MarbleTopic[],
  diagram: string,
  options: MarbleOptions = {},
): string {
  const { got } = outcome(driver, topics, diagram, options);
  return drawn(got);
}

/**
 * Plays the input lines of a marble diagram and checks that the results are those of its output lines.
 *
 * ```text
 * clicks      --ada:1(1s)--ada:1(2s)--bob:1(70s)--ada:1(3s)----------|
 * per-minute  ------------------------ada:2(2s)----------------------bob:1(70s)
 * late        ------------------------------------ada:1(3s)[0s,1m)
 * ```
 *
 * A line is the name of a topic, a space, and cells from left to right in the order of events over all lines. A cell is
 * `key:value(time)`. Output cells belong to the input cell that they are below, or that precedes them.
 *
 * - keys and values: words, numbers, `null` (a tombstone, or no key), JSON (`"a b"`, `{"n":1}`), and words of `values`
 * - times: `0s`, `1500ms`, `1m30s`, counted from `start`; without a time, an input gets the wall-clock time, and an
 * output's time is not compared
 * - `a[0s,1m):1(5s)` has a key with a window, as made by `windowedKey`
 * - the line `late` has late records, optionally with the windows that they missed
 * - the line `clock` has `+10s` (the wall clock advances), `!` (a crash), `^` (a commit, if `autoCommit` is off)
 * - `|` is the end of the input: open windows close
 * - `-` and spaces mean nothing
 *
 * @param driver - Runs the pipeline.
 * @param topics - The topics of the lines. Topics that the pipeline writes are outputs. Other topics are not checked.
 * @throws CheckFailed, an ordinary assertion error with both diagrams, if the results differ; ConfigError
 * `ERR_DIAGRAM`, with line and column, if the diagram cannot be read.
 *
 * @example
 * ```ts
 * import { agg, int32, string, to, topic, tumbling, windowBy } from 'millrace';
 * import { expectMarbles, TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: int32() });
 * const perMinute = topic('per-minute', { key: string(), value: int32() });
 * const minute = tumbling({ size: '1m', grace: '10s' });
 * const driver = new TestDriver(clicks.pipe(windowBy(minute, agg.count(), { store: 'counts' }), to(perMinute)));
 * expectMarbles(driver, [clicks, perMinute], `
 *   clicks      --ada:1(1s)--ada:1(2s)--bob:1(70s)--ada:1(3s)----------|
 *   per-minute  ------------------------ada:2(2s)----------------------bob:1(70s)
 *   late        ------------------------------------ada:1(3s)[0s,1m)
 * `);
 * console.log('as drawn'); // => as drawn
 * ```
 * @public
 */
export function expectMarbles(
  driver: TestDriver,
  topics: readonly MarbleTopic[],
  diagram: string,
  options: MarbleOptions = {},
): void {
  const { expected, got } = outcome(driver, topics, diagram, options);
  const differences = expected.flatMap(({ name, steps }, at) => {
    const other = got[at]?.steps ?? [];
    return steps.flatMap((text, step) =>
      text === other[step] ? [] : [{ name, step, text, other: other[step] ?? '' }],
    );
  });
  const first = differences.sort((one, other) => one.step - other.step)[0];
  if (first === undefined) return;
  const widths = widthsOf([...expected, ...got]);
  const [wanted, found] = [drawn(expected, widths), drawn(got, widths)];
  // Input lines are the same in both.
  const cause = expected.find((line, at) => got[at] === line && line.steps[first.step] !== '');
  const after = cause === undefined ? '' : ` after ${cause.steps[first.step]} of ${cause.name}`;
  const said = `${first.name} should have ${first.text || 'nothing'}${after}, and has ${first.other || 'nothing'}`;
  const message = `${said}\n\nexpected\n${indented(wanted)}\n\ngot\n${indented(found)}\n`;
  throw new CheckFailed(message, { actual: found, expected: wanted });
}

interface Outcome {
  /** Lines in the order of the diagram. Input lines are the same objects in both. */
  readonly expected: readonly DrawnLine[];
  readonly got: readonly DrawnLine[];
}

function outcome(driver: TestDriver, given: readonly MarbleTopic[], diagram: string, options: MarbleOptions): Outcome {
  checkNames('a marble diagram', options, { values: true, start: true });
  const { start = 0, values = {} } = options;
  const topics = new Map(given.map((topic) => [topic.name, topic as AnyTarget]));
  const lines = parseDiagram(diagram, values);
  const sides = sidesOf(driver, lines, topics, diagram);
  const rows = play(driver, sides, topics, start);
  const pairs = lines.map((line): readonly [DrawnLine, DrawnLine] => {
    const at = sides.outputs.indexOf(line);
    if (at >= 0) return outputLine(line, sides, rows[at] ?? [], values);
    const steps = sides.steps.map((step) => (step.line === line ? itemText(step.cell.item, values) : ''));
    const drawnLine = { name: line.name, steps };
    return [drawnLine, drawnLine];
  });
  return { expected: pairs.map(([expected]) => expected), got: pairs.map(([, got]) => got) };
}

/** The expected and actual texts of each step of an output line. */
function outputLine(
  { cells, name }: MarbleLine,
  { steps }: Sides,
  rows: readonly (readonly MarbleRow[])[],
  values: Readonly<Record<string, unknown>>,
): readonly [DrawnLine, DrawnLine] {
  const columns = steps.map(({ cell }) => cell.column);
  const expected = columns.map((): MarbleRow[] => []);
  for (const { column, item } of cells) {
    // Cells before the first input have no cause; they are shown with that input.
    const at = Math.max(
      0,
      columns.findLastIndex((each) => each <= column),
    );
    if (item.kind === 'row') expected[at]?.push(item);
  }
  const asWanted = (row: MarbleRow, like: MarbleRow | undefined): MarbleRow => {
    if (like === undefined) return row;
    return {
      ...row,
      ...(like.timestamp === undefined ? { timestamp: undefined } : {}),
      ...(like.missed === undefined ? { missed: undefined } : {}),
    };
  };
  const text = (all: readonly MarbleRow[]): string => all.map((row) => rowText(row, values)).join('-');
  return [
    { name, steps: expected.map(text) },
    {
      name,
      steps: columns.map((_, at) => text((rows[at] ?? []).map((row, place) => asWanted(row, expected[at]?.[place])))),
    },
  ];
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
