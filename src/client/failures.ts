import { ConfigError, type ErrorDetails, FatalError, MillraceError, RecordError, StoreError } from '../errors.ts';
import { bareMessage } from '../log/record-failures.ts';

/** The error of a failed write, with all known details: the topic, and whether the record was written. */
export function writeFailure(
  error: unknown,
  topic: string,
  written: 'no' | 'unknown',
  partition?: number,
): MillraceError {
  const details: ErrorDetails = { topic, written, ...(partition === undefined ? {} : { partition }) };
  if (!(error instanceof MillraceError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (written === 'no') {
      return new RecordError('ERR_ENCODE', `the record cannot be encoded: ${text}`, { ...details, cause: error });
    }
    return new FatalError('ERR_PUBLISH', `publishing failed: ${text}`, { ...details, cause: error });
  }
  if (error.written !== undefined && error.topic !== undefined) return error;
  return copyOf(error, {
    ...placeOf(error),
    ...details,
    written: error.written ?? written,
    topic: error.topic ?? topic,
    cause: error.cause ?? error,
  });
}

function placeOf({ hint, offset, partition, step }: MillraceError): ErrorDetails {
  return {
    ...(hint === undefined ? {} : { hint }),
    ...(offset === undefined ? {} : { offset }),
    ...(partition === undefined ? {} : { partition }),
    ...(step === undefined ? {} : { step }),
  };
}

function copyOf(error: MillraceError, details: ErrorDetails): MillraceError {
  const message = bareMessage(error);
  if (error instanceof RecordError) return new RecordError(error.code, message, details);
  if (error instanceof ConfigError) return new ConfigError(error.code, message, details);
  if (error instanceof StoreError) return new StoreError(error.code, message, details);
  if (error instanceof FatalError) return new FatalError(error.code, message, details);
  return new MillraceError(error.errorClass, error.code, message, details);
}

/** The error for a call on a closed client, or one that was closed during the call. */
export function clientClosed(details: ErrorDetails = {}): ConfigError {
  return new ConfigError('ERR_CLOSED', 'the client is closed', { hint: 'open a new one with connect(…)', ...details });
}
