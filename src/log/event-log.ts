import type { Logger } from './logger.ts';

/** An event that an application has logged. */
export interface LoggedEvent {
  readonly number: number;
  /** In ms since the epoch. */
  readonly time: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  /** The fields that are strings, numbers or booleans; others are left out. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

const MAX_EVENTS = 500;
const MAX_TEXT = 500;

/** Keeps the most recent events that an application logs, whatever its logger does with them. */
export class EventLog {
  readonly #now: () => number;
  #events: LoggedEvent[] = [];
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A logger that keeps events and passes them on. */
  tee(logger: Logger | undefined): Logger {
    const keep =
      (level: LoggedEvent['level']) =>
      (fields: object, message: string): void => {
        this.#add(level, fields, message);
        logger?.[level](fields, message);
      };
    return {
      debug: (fields, message) => logger?.debug(fields, message),
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
    };
  }

  /** The events after a given one, oldest first. */
  since(number: number): readonly LoggedEvent[] {
    return this.#events.filter((event) => event.number > number);
  }

  #add(level: LoggedEvent['level'], fields: object, message: string): void {
    this.#count += 1;
    const kept = Object.entries(fields).flatMap(([name, value]) => {
      if (typeof value === 'string') return [[name, cut(value)]];
      return typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [];
    });
    const event = {
      number: this.#count,
      time: this.#now(),
      level,
      message: cut(message),
      fields: Object.fromEntries(kept),
    };
    this.#events = [...this.#events.slice(1 - MAX_EVENTS), event];
  }
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
