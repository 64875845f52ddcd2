import { MillraceError } from '../index.ts';

/**
 * An error of the library, including the copy that a user's file imports, which may differ from the copy of this
 * command.
 */
export function libraryError(error: unknown): MillraceError | undefined {
  if (error instanceof MillraceError) return error;
  if (!(error instanceof Error) || !('errorClass' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && error.code.startsWith('ERR_') ? (error as MillraceError) : undefined;
}
