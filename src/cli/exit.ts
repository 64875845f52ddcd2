import { CommanderError } from 'commander';
import { libraryError } from './library-error.ts';

/** An unmet expectation of a command: nothing failed, but the exit code reports it. */
export class ExitError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Whether an error only says that a signal has stopped the work. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason;
}

/** 0 done, 1 failed while running, 2 wrong use, 3 an expectation is not met. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return libraryError(error)?.errorClass === 'config' ? 2 : 1;
}
