import { RecordError } from '../errors.ts';

/**
 * More headers than anybody gives a record. Two bytes of a batch suffice for one, and each becomes objects, so that a few
 * kilobytes could otherwise fill the memory.
 */
export const MAX_HEADERS = 10_000;

export function tooManyHeaders(count: number): RecordError {
  return new RecordError('ERR_HEADERS', `the record has ${count} headers, but at most ${MAX_HEADERS} are read`, {
    hint: 'move data from the headers into the value',
  });
}
