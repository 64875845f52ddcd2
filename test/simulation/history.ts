import { checkHistory, type HistoryEvent } from '../../src/testing/index.ts';
import type { Input } from './inputs.ts';
import type { Found } from './topic-reader.ts';

/**
 * Whether copies of the inputs are as histories of a log may be, in sentences.
 *
 * @param exact - Whether none may come twice; otherwise the first one of each counts.
 * @param sourceOf - The topic that an input was in: only within one topic there is an order.
 */
export function historyOf(
  inputs: readonly Input[],
  copies: Iterable<Found>,
  exact: boolean,
  sourceOf: (input: Input) => string,
): string[] {
  const events: HistoryEvent[] = inputs.map((input) => {
    const { id, key, partition } = input;
    return { type: 'published', topic: 'copies', id: String(id), key, writer: `${sourceOf(input)}/${partition}` };
  });
  const seen = new Set<string>();
  for (const { offset, partition, value } of copies) {
    const id = value.toString();
    if (!exact && seen.has(id)) continue;
    seen.add(id);
    events.push({ type: 'read', topic: 'copies', id, partition, offset });
  }
  return checkHistory(events).map(({ kind, message }) => `${kind}: ${message}`);
}
