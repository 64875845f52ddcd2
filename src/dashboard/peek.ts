import type { InputMeter, StepMeters } from '../metrics/step-meters.ts';
import type { ShownRecord } from './live-data.ts';
import type { Shown } from './shown.ts';

/** The shortest time between two shown records, in ms. */
const PACE_MS = 100;
/** The most edges to watch at the same time. */
const MAX_PEEKS = 4;

/** An edge between two steps to watch. */
export interface PeekPlace {
  /** Id of the step that records reach. */
  readonly step: number;
  readonly input: number;
}

/**
 * Shows records as they reach a step: at most ten per second. Steps that nobody watches are unaffected. Previews are
 * made at once, so that no record is kept.
 */
export class Peeks {
  readonly #meters: StepMeters;
  /** By step id. */
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

  /** @returns A function that ends it; `undefined` if the edge does not exist or too many are being watched. */
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
      // This runs within the turn of a task: an error here must not fail the record.
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
