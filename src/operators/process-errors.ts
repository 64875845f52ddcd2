import { FatalError, MillraceError, RecordError } from '../errors.ts';
import { settled } from '../options/promises.ts';

/** @throws RecordError `ERR_TIMESTAMP` */
export function checkTime(time: number, timer: string): number {
  if (Number.isSafeInteger(time) && time >= 0) return time;
  settled(time);
  throw new RecordError('ERR_TIMESTAMP', `the timer ${timer} was set to ${time}`, {
    hint: 'a time is a whole number of milliseconds since 1970, 0 or more',
  });
}

/** The error for a value that a store cannot keep. */
export function noValue(store: string, value: unknown): RecordError {
  return new RecordError('ERR_ENCODE', `store ${store} cannot keep ${String(value)}`, {
    hint: 'call delete(key) to remove an entry',
  });
}

/** The error for a timer that was set in an interval, which has no key. */
export function noTimerKey(step: string, timer: string): RecordError {
  return new RecordError('ERR_NULL_KEY', `${step}: the timer ${timer} was set without a key`, {
    hint: 'an interval has no current key: pass one, as in set(time, key)',
  });
}

/** The error for a timer whose function failed. */
export function timerFailed(error: unknown, timer: string): unknown {
  if (error instanceof MillraceError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new RecordError('ERR_USER_CODE', `the timer ${timer} failed: ${reason}`, {
    cause: error,
    hint: "fix it, or choose what happens to such failures with onRecordError: 'skip' or deadLetter(topic)",
  });
}

/** The error for using a step after its function has returned: such a change would not be part of any commit. */
export function usedLater(step: string): FatalError {
  return new FatalError('ERR_OUTSIDE_TURN', `${step} was used after its function had returned`, {
    step,
    hint: 'a step must finish its work before its function returns: do asynchronous work in mapAsync(…) before or after it',
  });
}
