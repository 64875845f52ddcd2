import { MillraceError } from '../index.ts';

/**
 * An error of the library, also of the copy that a user's file has: that of a project need not be the one that the command
 * is from.
 */
export function libraryError(error: unknown): MillraceError | undefined {
  if (error instanceof MillraceError) return error;
  if (!(error instanceof Error) || !('errorClass' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && error.code.startsWith('ERR_') ? (error as MillraceError) : undefined;
}
