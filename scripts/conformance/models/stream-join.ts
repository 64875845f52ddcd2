import { Buffer } from 'node:buffer';
import { type Data, type Input, type Key, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

/** A record that is kept. */
interface Kept {
  readonly side: 'left' | 'right';
  readonly key: string;
  readonly value: Data;
  readonly timestamp: number;
  /** It has a partner, or its row has come. */
  settled: boolean;
}

interface Shape {
  readonly type: string;
  readonly before: number;
  readonly after: number;
  readonly grace: number;
}

/** Joins of two streams (JS-1 to JS-7, TM-2, TM-9): keeps every record for ever, and looks through all of them. */
export function streamJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const join = new Join({ type: textOf(params, 'type'), ...boundsOf(params) });
  const steps = inputs.map((input) => join.take(input, input.topic === 'left' ? 'left' : 'right'));
  return { steps, dropped: join.dropped, late: join.late };
}

/** A stream joined with itself is the join of two copies of it, the left one first (JS-8). */
export function selfJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const join = new Join({ type: 'type' in params ? textOf(params, 'type') : 'inner', ...boundsOf(params) });
  const steps = inputs.map((input) => [...join.take(input, 'left'), ...join.take(input, 'right')]);
  return { steps, late: join.late };
}

function boundsOf(params: Params): Pick<Shape, 'before' | 'after' | 'grace'> {
  const [before, after, grace] = ['before', 'after', 'grace'].map((name) => numberOf(params, name));
  return { before: before as number, after: after as number, grace: grace as number };
}

class Join {
  dropped = 0;
  late = 0;
  readonly #shape: Shape;
  readonly #kept: Kept[] = [];
  #streamTime = -1;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  take({ key, timestamp, value }: Input, side: 'left' | 'right'): Row[] {
    if (value === null || (key === null && !this.#padsAlone(side))) {
      this.dropped += 1;
      return [];
    }
    if (key === null) return [alone(side, key, value, timestamp)];
    const ahead = side === 'left' ? this.#shape.after : this.#shape.before;
    const moves = timestamp > this.#streamTime;
    // A record that is as new as stream time is never late.
    if (!moves && this.#streamTime > timestamp + Math.max(0, ahead) + this.#shape.grace) {
      this.late += 1;
      return [];
    }
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    const rows = this.#overdue();
    const partners = this.#kept
      .filter((other) => other.side !== side && other.key === key && this.#match(side, timestamp, other.timestamp))
      .sort((one, other) => one.timestamp - other.timestamp);
    for (const partner of partners) {
      partner.settled = true;
      const values = side === 'left' ? [value, partner.value] : [partner.value, value];
      rows.push({ key, value: values, timestamp: Math.max(timestamp, partner.timestamp) });
    }
    this.#kept.push({ side, key, value, timestamp, settled: partners.length > 0 });
    return [...rows, ...this.#overdue()];
  }

  /** Rows of records that no partner can come for any more. */
  #overdue(): Row[] {
    const { after, before, grace } = this.#shape;
    const over = this.#kept.filter(
      ({ settled, side, timestamp }) =>
        !settled && this.#padsAlone(side) && this.#streamTime > timestamp + (side === 'left' ? after : before) + grace,
    );
    over.sort(
      (one, other) =>
        one.timestamp - other.timestamp ||
        (one.side === other.side ? 0 : one.side === 'right' ? -1 : 1) ||
        Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)),
    );
    for (const each of over) each.settled = true;
    return over.map(({ key, side, timestamp, value }) => alone(side, key, value, timestamp));
  }

  #match(side: 'left' | 'right', own: number, other: number): boolean {
    const [left, right] = side === 'left' ? [own, other] : [other, own];
    return left - this.#shape.before <= right && right <= left + this.#shape.after;
  }

  #padsAlone(side: 'left' | 'right'): boolean {
    return this.#shape.type === 'outer' || (this.#shape.type === 'left' && side === 'left');
  }
}

function alone(side: 'left' | 'right', key: Key, value: Data, timestamp: number): Row {
  return { key, value: side === 'left' ? [value, null] : [null, value], timestamp };
}
