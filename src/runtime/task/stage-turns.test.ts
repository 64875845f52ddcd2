import { describe, expect, it } from 'vitest';
import { systemClock } from '../../dataflow/clock.ts';
import { StageTurns } from './stage-turns.ts';
import type { Task } from './task.ts';

/** A task whose records are timestamps, and which notes what it takes. */
class Timestamps {
  failure: undefined;
  turnMs = 0;
  readonly counters = { recordsIn: 0 };
  /** Records after which the turn is full. */
  room = Number.POSITIVE_INFINITY;
  /** What is still to come although it is not at hand. */
  more = false;
  readonly #left: number[];
  readonly #taken: number[];

  constructor(timestamps: readonly number[], taken: number[]) {
    this.#left = [...timestamps];
    this.#taken = taken;
  }

  add(...timestamps: number[]): void {
    this.#left.push(...timestamps);
  }

  beginTurn(): boolean {
    return true;
  }

  endTurn(): void {
    this.room = Number.POSITIVE_INFINITY;
  }

  get turnIsFull(): boolean {
    return this.room <= 0;
  }

  waitingFor(): undefined {}

  nextTimestamp(): number | undefined {
    return this.#left[0];
  }

  advance(most: number, latest: number): number {
    let done = 0;
    for (; done < most && this.#left.length > 0 && (this.#left[0] as number) <= latest; done += 1) {
      this.#taken.push(this.#left.shift() as number);
      this.room -= 1;
      if (this.turnIsFull) {
        done += 1;
        break;
      }
    }
    this.counters.recordsIn += done;
    return done;
  }

  get reach(): this {
    return this;
  }

  get caughtUp(): boolean {
    return this.#left.length === 0 && !this.more;
  }
}

function stage(...tasks: readonly (readonly number[])[]) {
  const taken: number[] = [];
  const now = { ms: 0 };
  const wakes: (() => void)[] = [];
  const clock = {
    ...systemClock,
    monotonic: () => now.ms,
    after: (_ms: number, wake: () => void) => {
      wakes.push(wake);
      return () => undefined;
    },
  };
  const turns = new StageTurns(clock, () => undefined);
  const all = tasks.map((timestamps) => new Timestamps(timestamps, taken));
  turns.tasks.push(...(all as unknown as Task[]));
  const turn = (): number[] => {
    turns.turn(true, Number.POSITIVE_INFINITY, () => undefined);
    return taken.splice(0);
  };
  return { all, now, turn, turns, wakes };
}

const times = (count: number, first: number, step: number): number[] =>
  Array.from({ length: count }, (_, n) => first + n * step);

/** The furthest that a timestamp lies behind one before it. */
function furthestBack(timestamps: readonly number[]): number {
  let [latest, back] = [0, 0];
  for (const timestamp of timestamps) {
    back = Math.max(back, latest - timestamp);
    latest = Math.max(latest, timestamp);
  }
  return back;
}

describe('tasks of one stage', () => {
  it('take what they have in the order of time, those with few records too', () => {
    const { turn } = stage([1, 4, 9], [2, 1000], [3, 3, 8]);
    expect(turn()).toEqual([1, 2, 3, 3, 4, 8, 9, 1000]);
  });

  it('stay close together over many turns, whatever their records are apart', () => {
    const { all, turn } = stage(times(30_000, 0, 10), times(3000, 5, 100), times(30, 7, 10_000));
    const order: number[] = [];
    while (all.some(({ caughtUp }) => !caughtUp)) order.push(...turn());
    expect(order).toHaveLength(33_030);
    // A few hundred records of three hundred thousand ms.
    expect(furthestBack(order)).toBeLessThan(3000);
  });

  it('change over seldom where their records lie side by side', () => {
    const { all, turn } = stage(...[0, 1, 2, 3].map((first) => times(20_000, first, 4)));
    let [records, stretches, last] = [0, 0, -1];
    for (let n = 0; n < 8; n += 1) turn();
    while (all.some(({ caughtUp }) => !caughtUp)) {
      for (const timestamp of turn()) {
        records += 1;
        if (timestamp % 4 !== last) stretches += 1;
        last = timestamp % 4;
      }
    }
    expect(records / stretches).toBeGreaterThan(8);
  });

  it('do not wait for one that is far behind, once they have taken everything there was', () => {
    const { all, turn } = stage(times(20_000, 0, 1), []);
    turn();
    all[1]?.add(1_000_000);
    expect(turn(), 'its new record comes at once').toContain(1_000_000);
  });

  it('wait for one that has more to come, but not for long', () => {
    const { all, now, turn, wakes } = stage([5, 6], []);
    const [, late] = all as [Timestamps, Timestamps];
    late.more = true;
    expect(turn()).toEqual([]);
    expect(wakes).toHaveLength(1);
    late.add(4);
    expect(turn()).toEqual([4, 5, 6]);
    all[0]?.add(9);
    expect(turn(), 'that one had taken all it knew of').toEqual([9]);
    const other = stage([5, 6], []);
    (other.all[1] as Timestamps).more = true;
    other.turn();
    other.now.ms = now.ms + 10_000;
    expect(other.turn()).toEqual([5, 6]);
  });

  it('are woken again when a timer fires before the wait is over', () => {
    const { all, now, turn, wakes } = stage([5, 6], []);
    (all[1] as Timestamps).more = true;
    expect(turn()).toEqual([]);
    now.ms = 249.5;
    wakes[0]?.();
    expect(turn(), 'half a millisecond is left').toEqual([]);
    expect(wakes, 'and somebody asks for the turn after it').toHaveLength(2);
    now.ms = 250;
    wakes[1]?.();
    expect(turn()).toEqual([5, 6]);
  });

  it('are woken also when all of them were away for a while', () => {
    const { all, now, turn, turns, wakes } = stage([5, 6], []);
    (all[1] as Timestamps).more = true;
    expect(turn()).toEqual([]);
    for (const task of all) turns.remove(task as unknown as Task);
    turns.tasks.push(...(all as unknown as Task[]));
    expect(turn(), 'they wait again').toEqual([]);
    expect(wakes).toHaveLength(2);
    now.ms = 250;
    wakes[1]?.();
    expect(turn()).toEqual([5, 6]);
  });

  it('are looked at when they have nothing more, for a few records may have taken long', () => {
    const { all, now, turns } = stage([1, 2]);
    const seen: [Task, number][] = [];
    now.ms = 3000;
    turns.turn(true, Number.POSITIVE_INFINITY, (task, at) => void seen.push([task, at]));
    expect(seen).toEqual([[all[0], 3000]]);
  });

  it('know for how long they have not gone on although there is more', () => {
    const { all, now, turn, turns } = stage([1], [2]);
    const [one, other] = all as [Timestamps, Timestamps];
    const standing = (task: Timestamps): number => turns.standsFor(task as unknown as Task, now.ms);
    other.more = true;
    turn();
    now.ms = 5000;
    turn();
    expect([standing(one), standing(other)], 'one has taken everything').toEqual([0, 5000]);
    other.add(3);
    turn();
    expect(standing(other)).toBe(0);
    now.ms = 8000;
    expect([standing(one), standing(other)], 'nobody had a turn').toEqual([3000, 3000]);
  });

  it('end their turn with the record that fills it, and know that there is more', () => {
    const { all, turn, turns } = stage(times(20, 0, 2), times(20, 1, 2));
    (all[1] as Timestamps).room = 3;
    const first = turn();
    expect(first.filter((timestamp) => timestamp % 2 === 1)).toEqual([1, 3, 5]);
    expect(first).toHaveLength(6);
    expect(turns.more).toBe(true);
    expect(turn()).toHaveLength(34);
  });

  it('that are taken away have no turn any more', () => {
    const { all, turn, turns } = stage([1], [2]);
    turns.remove(all[0] as unknown as Task);
    expect(turn()).toEqual([2]);
  });
});
