import { FatalError } from '../errors.ts';

/** The error for a plain RxJS operator that emits outside its task's turns. */
export function outsideTurn(message: string, stage: string | undefined, step: string): FatalError {
  return new FatalError('ERR_OUTSIDE_TURN', message, {
    ...(stage === undefined ? {} : { stage }),
    step,
    hint:
      'operators that emit later (delay, debounceTime, observeOn, mergeMap with a promise) would lose track of offsets: ' +
      'use mapAsync(…) for asynchronous work and event-time windows for time',
  });
}

/** The error for an operator that waits from the start; thrown when planning, or when a task is built. */
export function waitsFromStart(stage: string | undefined, step: string): FatalError {
  return outsideTurn("an operator waits for a timer or a promise, outside its task's turn", stage, step);
}
