import type { InputMeter, StepMeters } from '../metrics/step-meters.ts';
import type { ShownRecord } from './live-data.ts';
import type { Shown } from './shown.ts';

/** The least time between two records that are shown, in ms. */
const PACE_MS = 100;
/** Edges that are looked at at a time. */
const MAX_PEEKS = 4;

/** What goes from one step to the next, for who looks at it. */
export interface PeekPlace {
  /** Number of the step that records come to. */
  readonly step: number;
  readonly input: number;
}

/**
 * Shows records as they come to a step: ten in a second at most, whatever their number. Steps that nobody looks at do not know
 * of it. Previews are made at once, so that no record is held.
 */
export class Peeks {
  readonly #meters: StepMeters;
  /** By the numbers of the steps. */
  readonly #streams: readonly object[];
  readonly #names: readonly string[];
  readonly #shown: Shown;
  readonly #lookers = new Map<InputMeter, Set<(record: ShownRecord) => void>>();

  constructor(meters: StepMeters, streams: readonly object[], names: readonly string[], shown: Shown) {
    this.#meters = meters;
    this.#streams = streams;
    this.#names = names;
    this.#shown = shown;
  }

  /** @returns A function that ends it; `undefined` where there is no such edge, or too many are looked at. */
  open({ input, step }: PeekPlace, look: (record: ShownRecord) => void): (() => void) | undefined {
    const stream = this.#streams[step];
    const meter = stream === undefined ? undefined : this.#meters.of(stream).inputs[input];
    if (meter === undefined) return undefined;
    const known = this.#lookers.get(meter);
    if (known === undefined && this.#lookers.size >= MAX_PEEKS) return undefined;
    const lookers = known ?? new Set();
    lookers.add(look);
    if (known === undefined) {
      this.#lookers.set(meter, lookers);
      this.#next(meter, this.#names[step] ?? '');
    }
    return () => {
      lookers.delete(look);
      if (lookers.size > 0) return;
      this.#lookers.delete(meter);
      meter.unpeek();
    };
  }

  #next(meter: InputMeter, of: string): void {
    meter.peek((record) => {
      // It runs within the turn of a task: what goes wrong here is no failure of the record.
      try {
        const shown = this.#shown.record(record, of);
        for (const look of this.#lookers.get(meter) ?? []) look(shown);
      } finally {
        setTimeout(() => {
          if (this.#lookers.has(meter)) this.#next(meter, of);
        }, PACE_MS).unref();
      }
    });
  }
}
