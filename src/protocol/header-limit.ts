import { RecordError } from '../errors.ts';

/**
 * More headers than any real record has. A header can take as little as two bytes in a batch but becomes several
 * objects, so a few kilobytes could otherwise exhaust memory.
 */
export const MAX_HEADERS = 10_000;

export function tooManyHeaders(count: number): RecordError {
  return new RecordError('ERR_HEADERS', `the record has ${count} headers, but at most ${MAX_HEADERS} are read`, {
    hint: 'move data from the headers into the value',
  });
}
