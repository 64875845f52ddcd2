import type { Pipeline, StreamRecord, Target } from 'millrace';
import { TestDriver } from 'millrace/testing';

/** A topic or a table, whatever its values are. */
export const any = <V>(target: Target<string, V>): Target<string, unknown> =>
  target as unknown as Target<string, unknown>;

/** A record that goes in. */
export interface Put {
  readonly into: Target<string, unknown>;
  readonly key: string;
  readonly value: string | number | object | null;
  readonly timestamp: number;
}

/** A line of results: what a pipeline makes of the records. */
export interface Result {
  readonly label: string;
  readonly pipeline: Pipeline;
  readonly from: Target<string, unknown>;
  /** What is drawn of a row; its value and timestamp where left out. */
  readonly show?: (row: Row) => string;
}

export type Row = StreamRecord<string, unknown>;

export interface Picture {
  readonly records: readonly Put[];
  readonly results: readonly Result[];
  /** What is drawn of a record: its key, value and timestamp where left out. */
  readonly show?: (record: Put) => string;
  /** Whether the input ends, and what is open is closed. */
  readonly ends?: boolean;
}

/**
 * Draws a picture by running its pipelines: a line per topic, and a column per record in the order in which they come. What a
 * record makes come out stands below it.
 */
export function draw({ ends = false, records, results, show = shown }: Picture): string {
  const sources = [...new Map(records.map(({ into }) => [into.name, into])).values()];
  const columns = records.length + (ends ? 1 : 0);
  const lines: { label: string; cells: string[] }[] = [
    ...sources.map(({ name }) => ({
      label: name,
      cells: Array.from({ length: columns }, (_, at) => {
        const record = records[at];
        return record?.into.name === name ? show(record) : '';
      }),
    })),
    ...results.map((result) => ({ label: result.label, cells: run(records, result, ends) })),
  ];
  const margin = Math.max(...lines.map(({ label }) => label.length)) + 2;
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...lines.map(({ cells }) => cells[at]?.length ?? 0)),
  );
  return lines
    .map(({ cells, label }) => {
      const drawn = cells.map((cell, at) => `--${cell.padEnd(widths[at] ?? 0, '-')}`).join('');
      return `${label.padEnd(margin)}${drawn}--${ends ? '|' : '>'}`;
    })
    .join('\n');
}

const shown = ({ key, timestamp, value }: Put): string => `${key}:${text(value)}@${timestamp}`;
const shownRow = ({ key, timestamp, value }: Row): string => `${key}:${text(value)}@${timestamp}`;
/** A value as it is drawn: a text without quotation marks. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function run(records: readonly Put[], { from, pipeline, show = shownRow }: Result, ends: boolean): string[] {
  const driver = new TestDriver(pipeline);
  const rows = (): string => {
    const texts = driver.read(from).map((row) => show(row));
    return texts.length > 1 ? `(${texts.join(', ')})` : texts.join('');
  };
  const cells = records.map(({ into, key, timestamp, value }) => {
    driver.pipe(into, { key, value, timestamp });
    return rows();
  });
  if (ends) {
    driver.end('close');
    cells.push(rows());
  }
  return cells;
}
