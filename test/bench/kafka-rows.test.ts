import { describe, expect, it } from 'vitest';
import { differences, digestOf } from '../../bench/kafka/compare.ts';
import { buysFor, expectedRows, inputAt, inputsOf, shuffledRecords } from '../../bench/kafka/expected.ts';
import { WORKS, type Work } from '../../bench/kafka/works.ts';

const RECORDS = 20_000;
const rowsOf = (work: Work): string[] => [...expectedRows(work, RECORDS)];

describe('rows expected of the works on Kafka', () => {
  it('are one per click, wanted click or pane', () => {
    const rows = Object.fromEntries(WORKS.map((work) => [work, rowsOf(work)]));
    const clicks = (work: Work): number =>
      (rows[work] ?? []).reduce((sum, row) => sum + Number(/"clicks":(\d+)/.exec(row)?.[1]), 0);
    expect(rows['pass']).toHaveLength(RECORDS);
    expect(rows['map']).toHaveLength(
      Array.from({ length: RECORDS }, (_, at) => at % 4_096).filter((product) => product % 10 !== 0).length,
    );
    // What comes after the break lies in windows that stay open.
    expect(clicks('count-1m')).toBe(RECORDS - 8_000);
    expect(clicks('count-10m')).toBe(RECORDS - 8_000);
    expect(clicks('shuffle')).toBe(shuffledRecords(RECORDS));
  });

  it('are visits that have ended, pairs that are close in time, and changes of joined rows', () => {
    const visits = rowsOf('sessions').map((row) => JSON.parse(row.slice(row.indexOf('{'))) as Record<string, number>);
    const clicks = visits.reduce((sum, visit) => sum + (visit['clicks'] ?? 0), 0);
    // Visits behind the break go on, in each partition.
    expect(clicks).toBe(RECORDS - 8_000);
    for (const visit of visits) expect((visit['start'] ?? 0) <= (visit['end'] ?? 0)).toBe(true);
    // Each buy comes right after a click of the same person.
    expect(rowsOf('stream-join').length).toBeGreaterThanOrEqual(buysFor(RECORDS));
    expect(rowsOf('table-join').length).toBeGreaterThanOrEqual(buysFor(RECORDS));
    expect(rowsOf('table-join').length).toBeLessThan(inputsOf('table-join', RECORDS));
  });

  it('have a break of more than an hour near the end of the input, and are of 100 bytes', () => {
    const { text, timestamp } = inputAt(RECORDS - 8_000, RECORDS);
    expect(timestamp - inputAt(RECORDS - 8_001, RECORDS).timestamp).toBeGreaterThan(3_600_000);
    expect(timestamp % 600_000).toBe(0);
    expect(inputAt(RECORDS - 1, RECORDS).timestamp - timestamp).toBeLessThan(60_000);
    expect(Buffer.byteLength(text)).toBe(100);
  });
});

describe('comparing an output', () => {
  const expected = digestOf(rowsOf('count-1m'));
  const compare = (rows: readonly string[]): string | undefined =>
    differences(rows, expected, () => expectedRows('count-1m', RECORDS));

  it('takes rows in any order', () => {
    expect(compare(rowsOf('count-1m').reverse())).toBeUndefined();
  });

  it('says which rows are missing, too many or wrong', () => {
    const [first = '', second = '', third = '', ...rest] = rowsOf('count-1m').sort();
    const wrong = third.replace(/\d+}$/, '999}');
    const said = compare([first, first, wrong, ...rest]) ?? '';
    expect(said).toContain(`${expected.rows} rows, not ${expected.rows}; 4 differ`);
    expect(said).toContain(`1 times too many: ${first}`);
    expect(said).toContain(`missing 1 times: ${second}`);
    expect(said).toContain(`missing 1 times: ${third}`);
    expect(said).toContain(`1 times too many: ${wrong}`);
  });
});
