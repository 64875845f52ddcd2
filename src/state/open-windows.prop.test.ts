import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../record.ts';
import { OpenWindows } from './open-windows.ts';

const byStart = (left: Window, right: Window): number => left.start - right.start || left.end - right.end;

describe('open windows', () => {
  it('are a set in the order in which they close', () => {
    const window = fc.record({ start: fc.nat({ max: 40 }), length: fc.nat({ max: 6 }) });
    const moves = fc.array(
      fc.record({ do: fc.constantFrom('add', 'add', 'delete', 'close'), window, at: fc.nat({ max: 50 }) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(moves, (script) => {
        const open = new OpenWindows<string>();
        const model = new Map<string, Window>();
        for (const { at, do: what, window: given } of script) {
          const { start } = given;
          const end = start + given.length;
          const key = `${start} ${end}`;
          expect(open.has(start, end)).toBe(model.has(key));
          if (what === 'add') {
            open.set(start, end, at % 2 === 0 ? `${key} ${at}` : undefined);
            expect(open.get(start, end)).toBe(at % 2 === 0 ? `${key} ${at}` : undefined);
            model.set(key, { start, end });
          } else if (what === 'delete') {
            open.delete(start, end);
            model.delete(key);
          } else if (what === 'close') {
            const ended = [...model.values()].filter((each) => each.end <= at).sort(byStart);
            expect(open.endedBy(at)).toEqual(ended);
            for (const each of ended) {
              open.delete(each.start, each.end);
              model.delete(`${each.start} ${each.end}`);
            }
          }
          const ends = [...model.values()].map((each) => each.end);
          expect([open.size, open.firstEnd, open.lastEnd]).toEqual([
            model.size,
            Math.min(...ends, Number.POSITIVE_INFINITY),
            Math.max(...ends, -1),
          ]);
        }
        expect(open.all()).toEqual([...model.values()].sort(byStart));
      }),
    );
  });

  it('stay in order over thousands, in any order of insertion', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 ** 42 }), { minLength: 3000, maxLength: 4000 }), (starts) => {
        const open = new OpenWindows<string>();
        const distinct = [...new Set(starts)];
        for (const start of distinct) open.set(start, start + 1000, String(start));
        expect(open.all().map(({ start }) => start)).toEqual(distinct.sort((left, right) => left - right));
        for (const start of distinct.splice(0, distinct.length >> 1)) open.delete(start, start + 1000);
        expect(open.all().map(({ start }) => start)).toEqual(distinct);
        for (const start of distinct) expect(open.get(start, start + 1000)).toBe(String(start));
        expect(open.firstEnd).toBe((distinct[0] as number) + 1000);
      }),
      { numRuns: 10 },
    );
  });
});
