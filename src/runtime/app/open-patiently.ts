import type { Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { OpenTransport, Transport } from '../../log/transport.ts';

const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 10_000;

/** The application that waits for an unavailable log. */
export interface Patience {
  readonly applicationId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the log is no longer needed. */
  stopped(): boolean;
  /** Reports what it waits for. */
  waiting(reason: string): void;
}

/**
 * Opens a log and retries while waiting may help, for example until brokers are up.
 *
 * @returns `undefined` if it is no longer needed.
 * @throws errors that waiting cannot fix: a wrong option, user or certificate.
 */
export async function openPatiently(open: OpenTransport, patience: Patience): Promise<Transport | undefined> {
  const { applicationId, clock, logger } = patience;
  const waiting = (reason: string | undefined): void =>
    patience.waiting(reason === undefined ? 'opening the log' : `opening the log: ${reason}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open({ waiting });
    } catch (error) {
      if (!isPassing(error) || patience.stopped()) throw error;
      const waitMs = Math.min(BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS);
      patience.waiting(`opening the log: ${error.message} (attempt ${attempt}, next one in ${waitMs} ms)`);
      logger.warn(
        { applicationId, code: error.code, error: error.message, attempt, waitMs },
        'the log cannot be opened',
      );
      await new Promise<void>((resolve) => {
        clock.after(waitMs, resolve);
      });
      if (patience.stopped()) return undefined;
    }
  }
}

function isPassing(error: unknown): error is MillraceError {
  if (!(error instanceof MillraceError)) return false;
  return error.errorClass === 'retriable' || error.errorClass === 'retriable-exhausted';
}
