import type { MillraceError } from '../errors.ts';
import type { DeadLetterPolicy } from '../record-policy.ts';
import { deadLetterOf } from '../runtime/dead-letter.ts';
import { rawRecord } from '../runtime/decode.ts';
import type { LetterSender } from '../runtime/letter-sender.ts';
import { asRecordError, type FailurePlace, isDeadLetter } from '../runtime/record-failures.ts';
import type { FetchedBatch } from '../runtime/transport.ts';
import type { InputOrigin } from '../topology/task-context.ts';
import { writeFailure } from './failures.ts';
import type { ReadInput } from './read-input.ts';
import type { ReadPlan } from './read-plan.ts';

/** What handling a bad record needs. */
export interface BadRecordHost {
  readonly letters: LetterSender;
  /** Wall-clock time, epoch milliseconds. */
  readonly now: () => number;
  readonly warn: (error: unknown, message: string) => void;
  readonly fail: (error: unknown) => void;
  /** The record that was put aside has been dealt with: go on after it. */
  readonly resume: (input: ReadInput) => void;
}

/** Applies the record policy to records that cannot be decoded. */
export class BadRecords {
  readonly #plan: ReadPlan;
  readonly #host: BadRecordHost;

  constructor(plan: ReadPlan, host: BadRecordHost) {
    this.#plan = plan;
    this.#host = host;
  }

  /** @returns Whether to pass over the record now; otherwise its partition waits, or the subscription has failed. */
  failed(input: ReadInput, batch: FetchedBatch, at: number, cause: unknown): boolean {
    const policy = this.#plan.onRecordError ?? input.use.onRecordError ?? 'fail';
    const origin = rawRecord(batch, at, input.use.name, input.partition);
    const { group, step } = this.#plan;
    const place: FailurePlace = group === undefined ? { step } : { step, applicationId: group };
    const error = asRecordError(cause, place, origin);
    if (policy === 'fail' || error.errorClass !== 'record') {
      this.#host.fail(error);
      return false;
    }
    if (!isDeadLetter(policy)) {
      this.#host.warn(error, 'a record was left out');
      return true;
    }
    void this.#write(input, policy, error, place, origin);
    return false;
  }

  async #write(
    input: ReadInput,
    policy: DeadLetterPolicy,
    error: MillraceError,
    place: FailurePlace,
    origin: InputOrigin,
  ): Promise<void> {
    const { deadLetter: topic } = policy;
    try {
      await this.#host.letters.send(policy, (limits) => deadLetterOf(error, place, origin, this.#host.now(), limits));
      this.#host.warn(error, `a record went to the dead-letter topic ${topic}`);
      this.#host.resume(input);
    } catch (failure) {
      this.#host.fail(writeFailure(failure, topic, 'unknown'));
    }
  }
}
