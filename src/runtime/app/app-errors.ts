import { MillraceError } from '../../errors.ts';

export function stoppedBeforeReady(): MillraceError {
  return new MillraceError('migrated', 'ERR_STOPPED', 'the application stopped before it was ready', {
    hint: 'await ready before stop(), or treat this as the end of the application',
  });
}

export function stopDeadline(ms: number): MillraceError {
  return new MillraceError('fatal', 'ERR_STOP_DEADLINE', `the application did not stop within ${ms} ms`, {
    hint: 'the last commit did not finish; the next start processes its records again',
  });
}

/** The error that ended an application, as a MillraceError. */
export function endedBy(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new MillraceError('fatal', 'ERR_INTERNAL', `the application failed: ${reason}`, { cause });
}
