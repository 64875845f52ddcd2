import type { HeldRecord } from '../state/held-record.ts';
import type { Rule } from './rule.ts';
import { type Spell, withSpell } from './spell.ts';

/**
 * Records less than `quietMs` apart form one burst, whatever their order; its newest record is emitted when the burst
 * has closed.
 */
export function debounceRule(quietMs: number, graceMs: number): Rule {
  const afterMs = quietMs + graceMs;
  return {
    closesAfterMs: afterMs,
    take(spells, record, streamTime) {
      const { timestamp } = record;
      const isNear = ({ end, start }: Spell): boolean => timestamp > start - quietMs && timestamp < end + quietMs;
      let burst = { start: timestamp, end: timestamp, held: record as HeldRecord | undefined };
      const others = [];
      for (const each of spells) {
        if (!isNear(each)) others.push(each);
        else {
          const { end, held } = each.end > burst.end ? each : burst;
          burst = { start: Math.min(each.start, burst.start), end, held };
        }
      }
      if (burst.end + afterMs <= streamTime) return { spells, record: 'late' };
      return { spells: withSpell(others, burst), record: 'held' };
    },
  };
}
