import type { Rule } from './rule.ts';
import { withSpell } from './spell.ts';

/**
 * A record outside every span opens one, `[t, t + spanMs)`. Spans of a key do not overlap: a record whose span would
 * overlap a later one belongs to that one.
 *
 * @param leading - The first record of a span passes.
 * @param trailing - The newest other record is emitted when the span has closed.
 */
export function throttleRule(spanMs: number, graceMs: number, leading: boolean, trailing: boolean): Rule {
  return {
    closesAfterMs: graceMs,
    take(spells, record, streamTime) {
      const { timestamp } = record;
      if (timestamp < streamTime - graceMs) return { spells, record: 'late' };
      const near = spells.find(({ end, start }) => timestamp > start - spanMs && timestamp < end);
      if (near === undefined) {
        const spell = { start: timestamp, end: timestamp + spanMs, held: leading ? undefined : record };
        return { spells: withSpell(spells, spell), record: leading ? 'passes' : 'held' };
      }
      const { held, start } = near;
      const newest = timestamp >= (held?.timestamp ?? start);
      if (!trailing || !newest) return { spells, record: 'held' };
      return { spells: spells.map((each) => (each === near ? { ...near, held: record } : each)), record: 'held' };
    },
  };
}
