import { NO_HEADERS } from '../record.ts';
import type { HeldRecord } from '../state/held-record.ts';
import type { Rule } from './rule.ts';
import { NO_SPELLS } from './spell.ts';

/**
 * Collects the values of a key in order of arrival, until there are `count`, or stream time has advanced by `withinMs`
 * since the first one arrived.
 */
export function batchRule(count: number, withinMs: number): Rule {
  return {
    closesAfterMs: 0,
    take(spells, record, streamTime) {
      const [open] = spells;
      const before = open?.held;
      const held: HeldRecord = {
        ...record,
        value: before === undefined ? [record.value] : [...(before.value as readonly unknown[]), record.value],
        timestamp: Math.max(record.timestamp, before?.timestamp ?? -1),
        headers: NO_HEADERS,
      };
      if ((held.value as readonly unknown[]).length >= count) return { spells: NO_SPELLS, record: 'held', row: held };
      // After a shuffle, records may arrive before any time is known.
      const start = streamTime < 0 ? record.timestamp : streamTime;
      const spell = open ?? { start, end: start + withinMs };
      return { spells: [{ ...spell, held }], record: 'held' };
    },
  };
}
