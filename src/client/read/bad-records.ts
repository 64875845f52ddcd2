import type { InputOrigin } from '../../dataflow/task-context.ts';
import type { MillraceError } from '../../errors.ts';
import { deadLetterOf } from '../../log/dead-letter.ts';
import { rawRecord } from '../../log/decode.ts';
import type { LetterSender } from '../../log/letter-sender.ts';
import { asRecordError, type FailurePlace, isDeadLetter } from '../../log/record-failures.ts';
import type { FetchedBatch } from '../../log/transport.ts';
import { unreadableRange } from '../../log/unreadable.ts';
import { counted } from '../../options/counted.ts';
import type { DeadLetterPolicy, RecordPolicy } from '../../options/record-policy.ts';
import { writeFailure } from '../failures.ts';
import type { ReadInput } from './read-input.ts';
import type { ReadPlan } from './read-plan.ts';

/** What the handling of bad records needs. */
export interface BadRecordHost {
  readonly letters: LetterSender;
  /** Wall-clock time in ms since the epoch. */
  readonly now: () => number;
  readonly warn: (error: unknown, message: string) => void;
  readonly fail: (error: unknown) => void;
  /** The bad record has been dealt with: continue after it. */
  readonly resume: (input: ReadInput) => void;
}

/** Applies the record policy to records that cannot be decoded, and to batches that cannot be read. */
export class BadRecords {
  readonly #plan: ReadPlan;
  readonly #host: BadRecordHost;

  constructor(plan: ReadPlan, host: BadRecordHost) {
    this.#plan = plan;
    this.#host = host;
  }

  /** @returns Whether to skip the record now; otherwise its partition waits, or the subscription has failed. */
  failed(input: ReadInput, batch: FetchedBatch, at: number, cause: unknown): boolean {
    const policy = this.#policyFor(input);
    const origin = rawRecord(batch, at, input.use.name, input.partition);
    const place = this.#place();
    const error = asRecordError(cause, place, origin);
    if (policy === 'fail' || error.errorClass !== 'record') {
      this.#host.fail(error);
      return false;
    }
    if (!isDeadLetter(policy)) {
      this.#host.warn(error, 'a record was skipped');
      return true;
    }
    void this.#write(policy, error, place, origin, () => this.#host.resume(input));
    return false;
  }

  /**
   * Handles an unreadable batch: skips the whole batch if the policy says so.
   *
   * @param move - Continues at an offset after the batch.
   * @returns whether the policy covers it; otherwise nothing was done
   */
  unreadable(input: ReadInput, cause: MillraceError, move: (offset: number) => void): boolean {
    const range = unreadableRange(cause, input.topic, input.partition, input.position);
    const policy = this.#policyFor(input);
    if (range === undefined || policy === 'fail') return false;
    const { error, nextOffset, origin, records } = range;
    if (isDeadLetter(policy)) {
      void this.#write(policy, error, this.#place(), origin, () => move(nextOffset));
    } else {
      this.#host.warn(error, `a batch of ${counted(records, 'record')} was skipped`);
      move(nextOffset);
    }
    return true;
  }

  #policyFor(input: ReadInput): RecordPolicy {
    return this.#plan.onRecordError ?? input.use.onRecordError ?? 'fail';
  }

  #place(): FailurePlace {
    const { group, step } = this.#plan;
    return group === undefined ? { step } : { step, applicationId: group };
  }

  async #write(
    policy: DeadLetterPolicy,
    error: MillraceError,
    place: FailurePlace,
    origin: InputOrigin,
    goOn: () => void,
  ): Promise<void> {
    const { deadLetter: topic } = policy;
    try {
      await this.#host.letters.send(policy, (limits) => deadLetterOf(error, place, origin, this.#host.now(), limits));
      const what = origin.lastOffset === undefined ? 'a record' : 'a batch';
      this.#host.warn(error, `${what} went to the dead-letter topic ${topic}`);
      goOn();
    } catch (failure) {
      this.#host.fail(writeFailure(failure, topic, 'unknown'));
    }
  }
}
