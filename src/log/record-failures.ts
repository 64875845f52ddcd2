import type { InputOrigin } from '../dataflow/task-context.ts';
import { bareMessage, ConfigError, type ErrorDetails, MillraceError, RecordError } from '../errors.ts';
import type { DeadLetterPolicy, RecordPolicy } from '../options/record-policy.ts';
import { rowWords } from './row-letter.ts';

export { bareMessage } from '../errors.ts';

/** Where in a pipeline a record failed. */
export interface FailurePlace {
  /** Missing for a client outside any group. */
  readonly applicationId?: string;
  /** Missing for a client, which has no stages. */
  readonly stage?: string;
  readonly step: string;
}

/**
 * The failure as an error that names the record or the kept row. Errors that are not about one record are returned
 * unchanged; a bug in the program is reported with the record that triggered it.
 */
export function asRecordError(error: unknown, place: FailurePlace, origin: InputOrigin): MillraceError {
  const row = rowWords(origin);
  const at: ErrorDetails = {
    ...(place.stage === undefined ? {} : { stage: place.stage }),
    step: place.step,
    topic: origin.topic,
    partition: origin.partition,
    // A row is not the record that was being processed when it was due.
    ...(row === '' && origin.offset >= 0 ? { offset: origin.offset } : {}),
  };
  if (!(error instanceof MillraceError)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return new RecordError('ERR_USER_CODE', `user code failed: ${message}${row}`, {
      ...at,
      cause: error,
      hint: "fix it, or choose what happens to such records with onRecordError: 'skip' or deadLetter(topic)",
    });
  }
  if (error.errorClass === 'config' && error.step === undefined) {
    const { code, hint } = error;
    return new ConfigError(code, `${bareMessage(error)}${row}`, {
      ...at,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (error.errorClass !== 'record') return error;
  const bytes = row === '' ? firstBytes(origin.value) : row;
  const hint = error.hint ?? "choose what happens to such records with onRecordError: 'skip' or deadLetter(topic)";
  return new RecordError(error.code, `${bareMessage(error)}${bytes}`, { ...at, cause: error.cause ?? error, hint });
}

function firstBytes(value: Uint8Array | null): string {
  if (value === null) return '';
  const head = Array.from(value.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `; value ${value.length} bytes: ${head}${value.length > 64 ? '…' : ''}`;
}

export function isDeadLetter(policy: RecordPolicy): policy is DeadLetterPolicy {
  return typeof policy === 'object';
}
