import { Observable, type Subscriber } from 'rxjs';
import type { Clock } from '../../dataflow/clock.ts';
import { soon } from '../../dataflow/soon.ts';
import type { Reading } from './reading.ts';

/** How many records are delivered before the event loop gets a turn. */
const SLICE_RECORDS = 512;
/** How long records are delivered before the event loop gets a turn, in ms. */
const SLICE_MS = 8;

/** Opens a subscription. */
export type OpenReading = (ready: () => void) => Reading;

/**
 * The records of one or more topics. It is cold: each subscription and each loop reads independently. Records of a
 * partition arrive in offset order; there is no order between partitions.
 *
 * As an Observable it pushes. RxJS has no back-pressure: records are delivered in slices, so that timers and I/O keep
 * running, but an operator that is slower than the records arrive (`concatMap`) queues them in memory.
 *
 * In a `for await` loop it pulls: records are read on request, so a slow loop body slows reading down and memory stays
 * bounded. Leaving the loop closes the subscription.
 *
 * @public
 */
export class Records<R> extends Observable<R> implements AsyncIterable<R> {
  readonly #open: OpenReading;
  readonly #clock: Clock;

  /** @internal */
  constructor(open: OpenReading, clock: Clock) {
    super((subscriber) => push(open, clock, subscriber));
    this.#open = open;
    this.#clock = clock;
  }

  /** Pulls the records one by one. */
  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return pull<R>(this.#open, this.#clock);
  }
}

function push<R>(open: OpenReading, clock: Clock, subscriber: Subscriber<R>): () => void {
  let scheduled = false;
  let ended = false;
  const schedule = (): void => {
    if (scheduled || ended) return;
    scheduled = true;
    soon(deliver);
  };
  const deliver = (): void => {
    scheduled = false;
    if (subscriber.closed) return;
    const until = clock.monotonic() + SLICE_MS;
    for (let count = 0; count < SLICE_RECORDS; count += 1) {
      const record = reading.next();
      if (record === undefined) {
        if (reading.outcome !== undefined) end();
        return;
      }
      subscriber.next(record as R);
      // The subscription may have ended because processing this record failed, so it does not count as processed.
      if (subscriber.closed) return;
      reading.processed();
      if ((count & 63) === 63 && clock.monotonic() >= until) break;
    }
    schedule();
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    const { outcome } = reading;
    const finished = outcome === 'complete' ? reading.finish() : reading.close();
    finished.then(
      () => {
        if (outcome === 'complete' || outcome === undefined) subscriber.complete();
        else subscriber.error(outcome.error);
      },
      (error: unknown) => subscriber.error(error),
    );
  };
  const reading = open(schedule);
  return () => void reading.close();
}

async function* pull<R>(open: OpenReading, clock: Clock): AsyncGenerator<R, void, undefined> {
  let wake: (() => void) | undefined;
  let awake = false;
  const reading = open(() => {
    awake = true;
    wake?.();
  });
  try {
    for (let until = clock.monotonic() + SLICE_MS; ; ) {
      awake = false;
      let record = reading.next();
      for (let count = 0; record !== undefined; count += 1) {
        yield record as R;
        reading.processed();
        if (count >= SLICE_RECORDS || ((count & 63) === 63 && clock.monotonic() >= until)) {
          // A loop body that never waits must not block timers and I/O.
          await new Promise<void>((resolve) => soon(resolve));
          count = 0;
          until = clock.monotonic() + SLICE_MS;
        }
        record = reading.next();
      }
      const { outcome } = reading;
      if (outcome === 'complete') return await reading.finish();
      if (outcome !== undefined) throw outcome.error;
      if (awake) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
      until = clock.monotonic() + SLICE_MS;
    }
  } finally {
    await reading.close();
  }
}
