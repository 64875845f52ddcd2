import type { Rule } from './rule.ts';
import { withSpell } from './spell.ts';

/**
 * A record passes if no passed record is at most `withinMs` away from it. Passed records are remembered as long as a
 * duplicate may arrive.
 */
export function dedupeRule(withinMs: number, graceMs: number): Rule {
  return {
    // Both ends are inclusive.
    closesAfterMs: withinMs + graceMs + 1,
    take(spells, { timestamp }, streamTime) {
      if (timestamp < streamTime - graceMs) return { spells, record: 'late' };
      if (spells.some(({ start }) => Math.abs(timestamp - start) <= withinMs)) return { spells, record: 'held' };
      const passed = { start: timestamp, end: timestamp, held: undefined };
      return { spells: withSpell(spells, passed), record: 'passes' };
    },
  };
}
