import { CheckFailed } from 'millrace/testing/fast-check';

/** What a check throws. */
export function failure(check: () => void): Error {
  try {
    check();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** What a law says that does not hold. */
export function broken(check: () => void): CheckFailed {
  const error = failure(check);
  if (error instanceof CheckFailed) return error;
  throw error;
}
