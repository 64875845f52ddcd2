import type { Rule } from './rule.ts';
import { withSpell } from './spell.ts';

/** A record passes when none that has passed is `withinMs` away or nearer. What has passed is known as long as one may come. */
export function dedupeRule(withinMs: number, graceMs: number): Rule {
  return {
    // Both ends are included.
    closesAfterMs: withinMs + graceMs + 1,
    take(spells, { timestamp }, streamTime) {
      if (timestamp < streamTime - graceMs) return { spells, record: 'late' };
      if (spells.some(({ start }) => Math.abs(timestamp - start) <= withinMs)) return { spells, record: 'held' };
      const passed = { start: timestamp, end: timestamp, held: undefined };
      return { spells: withSpell(spells, passed), record: 'passes' };
    },
  };
}
