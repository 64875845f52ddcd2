import { CommanderError } from 'commander';
import { MillraceError } from '../index.ts';

/** What a command found is not what was asked for: nothing failed, and the exit code says so. */
export class ExitError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** 0 done, 1 failed while running, 2 wrong use, 3 an expectation is not met. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof MillraceError) return error.errorClass === 'config' ? 2 : 1;
  return 1;
}

/** One line: what, where and what to do; with `debug` also the stack and the causes. */
export function explain(error: unknown, debug: boolean): string {
  if (debug && error instanceof Error) {
    const cause = error.cause === undefined ? '' : `\ncaused by ${explain(error.cause, debug)}`;
    return `${error.stack ?? error.message}${cause}`;
  }
  if (error instanceof MillraceError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
