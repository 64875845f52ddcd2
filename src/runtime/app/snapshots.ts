import { Observable } from 'rxjs';
import type { Clock } from '../../dataflow/clock.ts';
import type { AppSnapshot } from './snapshot.ts';

export interface SnapshotSource {
  readonly clock: Clock;
  take(): AppSnapshot;
  /** Called when the application has ended. */
  readonly followers: Set<() => void>;
}

/**
 * Emits a snapshot at once and then at an interval in ms; the last one when the application has ended, then completes.
 */
export function snapshotsEvery(everyMs: number, { clock, followers, take }: SnapshotSource): Observable<AppSnapshot> {
  return new Observable((subscriber) => {
    let cancel: (() => void) | undefined;
    const tick = (): void => {
      subscriber.next(take());
      if (!subscriber.closed) cancel = clock.after(everyMs, tick);
    };
    const over = (): void => {
      subscriber.next(take());
      subscriber.complete();
    };
    const { state } = take();
    if (state === 'stopped' || state === 'failed') {
      over();
      return;
    }
    followers.add(over);
    subscriber.add(() => {
      cancel?.();
      followers.delete(over);
    });
    tick();
  });
}
