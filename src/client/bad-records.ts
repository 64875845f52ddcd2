import type { MillraceError } from '../errors.ts';
import { rawRecord } from '../runtime/decode.ts';
import { asRecordError, deadLetterHeaders, type FailurePlace, isDeadLetter } from '../runtime/record-failures.ts';
import type { FetchedBatch, TopicAdmin } from '../runtime/transport.ts';
import { bytes, nullable, type Serde } from '../serdes/index.ts';
import type { TopicUse } from '../topology/node.ts';
import type { PublishRecord } from './published.ts';
import type { ReadInput } from './read-input.ts';
import type { ReadPlan } from './read-plan.ts';

const RAW = nullable(bytes()) as Serde<unknown>;

/** What handling a bad record needs. */
export interface BadRecordHost {
  readonly topics: TopicAdmin;
  readonly publish: (use: TopicUse, record: PublishRecord<unknown, unknown>) => Promise<unknown>;
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
    const { key, timestamp, value } = origin;
    const headers = deadLetterHeaders(error, place, origin);
    void this.#write(input, policy.deadLetter, { key, value, timestamp: Math.max(0, timestamp), headers }, error);
    return false;
  }

  async #write(
    input: ReadInput,
    topic: string,
    record: PublishRecord<unknown, unknown>,
    error: MillraceError,
  ): Promise<void> {
    try {
      await this.#host.topics.create(topic, { ifMissing: true });
      await this.#host.publish({ name: topic, key: RAW, value: RAW }, record);
      this.#host.warn(error, `a record went to the dead-letter topic ${topic}`);
      this.#host.resume(input);
    } catch (failure) {
      this.#host.fail(failure);
    }
  }
}
