import { ConfigError } from '../../errors.ts';
import { nearest } from '../../options/nearest.ts';
import { show } from '../../options/option-checks.ts';
import type { HistoryEvent } from './events.ts';

type Check = readonly [what: string, holds: (value: unknown) => boolean];

const TEXT: Check = ['a string', (value) => typeof value === 'string'];
const ID: Check = ['a string or a number', (value) => typeof value === 'string' || typeof value === 'number'];
const PLACE: Check = ['a whole number, 0 or more', (value) => Number.isSafeInteger(value) && (value as number) >= 0];
const OUTCOME: Check = [
  "'ok', 'failed' or 'unknown'",
  (value) => ['ok', 'failed', 'unknown'].includes(value as string),
];

/** What each event must have, and what it may have. */
const EVENTS: Readonly<
  Record<HistoryEvent['type'], { readonly needs: Record<string, Check>; readonly takes: Record<string, Check> }>
> = {
  published: {
    needs: { topic: TEXT, id: ID },
    takes: { outcome: OUTCOME, writer: TEXT, partition: PLACE, offset: PLACE },
  },
  processed: {
    needs: { topic: TEXT, partition: PLACE, offset: PLACE },
    takes: { outcome: OUTCOME, by: TEXT, outputs: ['a list of { topic, id }', areOutputs] },
  },
  assigned: { needs: { reader: TEXT, topic: TEXT, partition: PLACE, offset: PLACE }, takes: {} },
  read: { needs: { topic: TEXT, partition: PLACE, offset: PLACE, id: ID }, takes: { reader: TEXT } },
};

function areOutputs(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => TEXT[1](each?.topic) && ID[1](each?.id));
}

/**
 * Checks the events of a history, which may come from other programs. What an event has beyond what is known of it is
 * left alone.
 *
 * @throws ConfigError `ERR_OPTION` for an event that would otherwise count as nothing.
 */
export function checkEvents(events: unknown): HistoryEvent[] {
  if (
    typeof events === 'string' ||
    typeof (events as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function'
  ) {
    throw wrong('a history', 'a list of events', events);
  }
  const all = [...(events as Iterable<HistoryEvent>)];
  for (const [at, event] of all.entries()) checkEvent(event, `event ${at + 1} of the history`);
  return all;
}

function checkEvent(event: unknown, where: string): void {
  if (typeof event !== 'object' || event === null) throw wrong(where, 'an object', event);
  const fields = event as Readonly<Record<string, unknown>>;
  const { type } = fields;
  const known = Object.hasOwn(EVENTS, String(type)) ? EVENTS[type as HistoryEvent['type']] : undefined;
  if (known === undefined) {
    const near = nearest(String(type), Object.keys(EVENTS));
    throw wrong(
      `type of ${where}`,
      `one of ${Object.keys(EVENTS).join(', ')}${near === undefined ? '' : `: did you mean ${near}?`}`,
      type,
    );
  }
  for (const [name, [what, holds]] of Object.entries({ ...known.needs, ...known.takes })) {
    const value = fields[name];
    if (value === undefined && !Object.hasOwn(known.needs, name)) continue;
    if (!holds(value)) throw wrong(`${name} of ${where} (${String(type)})`, what, value);
  }
}

function wrong(where: string, what: string, value: unknown): ConfigError {
  return new ConfigError('ERR_OPTION', `checkHistory: ${where} is ${show(value)}`, { hint: `give ${what}` });
}
