import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AirportHour, Standing } from '../../examples/flights/records.ts';
import { score, standings, worstTen } from '../../examples/flights/standings.ts';

function addHour(day: readonly Standing[], row: AirportHour): readonly Standing[] {
  const record = { ...row, key: '', value: row, timestamp: row.hour, headers: [], topic: '', partition: 0, offset: 0 };
  return standings.add(day, row, record) ?? [];
}

const place = { name: '', city: '', state: '' };

function hour(airport: string, at: number, delays: readonly number[]): AirportHour {
  const minutes = delays.reduce((sum, delay) => sum + delay, 0);
  const counts = { flights: delays.length, minutes, worst: Math.max(...delays), mean: minutes / delays.length };
  return { airport, hour: at, ...place, ...counts };
}

const hours = fc.array(
  fc
    .tuple(
      fc.constantFrom('ATL', 'BOS', 'DFW', 'ORD'),
      fc.nat(23),
      fc.array(fc.integer({ min: -60, max: 600 }), { minLength: 1 }),
    )
    .map(([airport, at, delays]) => hour(airport, at, delays)),
);

describe('standings of a day', () => {
  test('airports with fewer than three flights are not ranked; equal scores go by code', () => {
    const day = [hour('MHT', 1, [500, 500]), hour('ORD', 1, [30, 30, 30]), hour('ATL', 1, [30, 30, 30])];
    const standings = day.reduce<readonly Standing[]>(addHour, []);
    expect(worstTen(standings).map(({ airport }) => airport)).toEqual(['ATL', 'ORD']);
    expect(score({ minutes: 90, flights: 3 })).toBe(90 / 13);
  });

  test('hours may come in any order', () => {
    fc.assert(
      fc.property(hours, fc.nat(), (rows, by) => {
        const at = rows.length === 0 ? 0 : by % rows.length;
        const turned = [...rows.slice(at), ...rows.slice(0, at)].reverse();
        const [day, other] = [rows, turned].map((list) => worstTen(list.reduce<readonly Standing[]>(addHour, [])));
        expect(other).toEqual(day);
      }),
    );
  });

  test('adding an hour leaves the standings that it is given untouched', () => {
    const before = [hour('ORD', 1, [5])].reduce<readonly Standing[]>(addHour, []);
    const copy = structuredClone(before);
    addHour(before, hour('ORD', 2, [50]));
    addHour(before, hour('ATL', 2, [50]));
    expect(before).toEqual(copy);
  });
});
