import { describe, expect, test } from 'vitest';
import { bar, heat, sparkline } from '../../examples/shared/chart.ts';
import { parseCsv } from '../../examples/shared/csv.ts';
import { tableLines } from '../../examples/shared/table.ts';
import { paint, screenOf } from '../../examples/shared/terminal.ts';
import { compareRows } from '../../examples/shared/verdict.ts';

describe('csv', () => {
  test('takes columns by name, with commas and doubled quotes inside quotes', () => {
    const text = 'code,name,city\r\nDBN,"W. H. ""Bud"" Barron",Dublin\nN25,Westport,"Westport, NY"\nX,,\n';
    expect(parseCsv(text, ['name', 'city'])).toEqual([
      { name: 'W. H. "Bud" Barron', city: 'Dublin' },
      { name: 'Westport', city: 'Westport, NY' },
      { name: '', city: '' },
    ]);
  });

  test('refuses a column that is not there', () => {
    expect(() => parseCsv('a,b\n1,2', ['c'])).toThrow('no column "c" among a, b');
  });
});

describe('charts', () => {
  const plain = { colour: false, width: 100, live: false };

  test('a bar is exact to an eighth of a column and stays in its room', () => {
    expect(bar(0, 4)).toBe('');
    expect(bar(0.5, 4)).toBe('██');
    expect(bar(5 / 32, 4)).toBe('▋');
    expect(bar(7, 4)).toBe('████');
  });

  test('a sparkline goes from the lowest to the highest value, also when all are equal', () => {
    expect(sparkline([0, 4, 8])).toBe('▁▅█');
    expect(sparkline([3, 3])).toBe('▁▁');
  });

  test('heat is a shade without colours and a colour with them', () => {
    expect(heat(plain, 1, 2)).toBe('██');
    expect(heat({ ...plain, colour: true }, 1, 2)).toContain('\u001b[48;5;');
  });

  test('a table cuts cells that are too long and sets numbers right', () => {
    const columns = [
      { title: 'name', max: 6 },
      { title: 'n', align: 'right' },
    ] as const;
    expect(
      tableLines(columns, [
        ['Katherine', '7'],
        ['Ada', '10'],
      ]),
    ).toEqual(['name     n', 'Kathe…   7', 'Ada     10']);
  });

  test('colours follow NO_COLOR, FORCE_COLOR and the terminal; the width is bounded', () => {
    const stream = (isTTY: boolean, columns?: number): NodeJS.WriteStream =>
      Object.assign(Object.create(process.stdout), { isTTY, columns }) as NodeJS.WriteStream;
    expect(screenOf(stream(true, 80), {})).toEqual({ colour: true, width: 80, live: true });
    expect(screenOf(stream(true, 500), { NO_COLOR: '1' })).toEqual({ colour: false, width: 120, live: true });
    expect(screenOf(stream(false), { COLUMNS: '60' })).toEqual({ colour: false, width: 60, live: false });
    expect(screenOf(stream(false), { FORCE_COLOR: '1' }).colour).toBe(true);
    expect(paint(plain, 'red', 'x')).toBe('x');
  });
});

describe('compareRows', () => {
  const expected = new Map([
    ['a', { n: 1 }],
    ['b', { n: 2 }],
  ]);

  test('is content with the same rows in any order', () => {
    expect(
      compareRows(expected, [
        ['b', { n: 2 }],
        ['a', { n: 1 }],
      ]).found,
    ).toBe(0);
  });

  test('finds a missing, a wrong, an unexpected and a repeated row', () => {
    expect(compareRows(expected, [['a', { n: 1 }]]).first).toEqual(['b: expected {"n":2}, found none']);
    expect(
      compareRows(expected, [
        ['a', { n: 1 }],
        ['b', { n: 3 }],
      ]).first,
    ).toEqual(['b: expected {"n":2}, found {"n":3}']);
    const more = [...expected, ['c', { n: 9 }] as const, ['a', { n: 1 }] as const];
    expect(compareRows(expected, more).first).toEqual([
      'c: expected no row, found {"n":9}',
      'a: expected no row, found {"n":1}',
    ]);
  });
});
