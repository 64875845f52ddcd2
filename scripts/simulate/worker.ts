import { parentPort } from 'node:worker_threads';
import { shrink } from '../../test/simulation/shrink.ts';
import { type LogKind, type Outcome, simulate } from '../../test/simulation/simulation.ts';

/** What a worker is asked for: a run, or the smallest one that fails like it, in words. */
export interface Asked {
  readonly seed: number;
  /** On what it runs; the seed decides unless given. */
  readonly on?: LogKind | undefined;
  readonly shrinks: boolean;
}

/** What a run came to; without a plan if it came to no end. */
export type Result = Pick<Outcome, 'counts' | 'events' | 'problems'> & { readonly plan?: Outcome['plan'] };

async function answer({ on, seed, shrinks }: Asked): Promise<Result | string> {
  try {
    const outcome = await simulate(seed, on === undefined ? {} : { on });
    return shrinks ? await shrink(outcome) : outcome;
  } catch (error) {
    const problem = `it cannot be simulated: ${(error as Error).stack}`;
    return shrinks ? problem : { problems: [problem], counts: {}, events: 0 };
  }
}

parentPort?.on('message', (asked: Asked) => {
  void answer(asked).then((result) => parentPort?.postMessage(result, []));
});
