import type { Clock } from '../../dataflow/clock.ts';
import { FORGOTTEN_ROW } from '../../dataflow/emitted-row.ts';
import type { InputOrigin, TaskCounters } from '../../dataflow/task-context.ts';
import { FatalError, MillraceError } from '../../errors.ts';
import { deadLetterOf } from '../../log/dead-letter.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { OutputBuffers } from '../../log/outputs.ts';
import { asRecordError, bareMessage, type FailurePlace, isDeadLetter } from '../../log/record-failures.ts';
import { keyText, rowWords } from '../../log/row-letter.ts';
import type { OutgoingBatch } from '../../log/transport.ts';
import type { UnreadableRange } from '../../log/unreadable.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import { outsideTurn, waitsFromStart } from '../../plan/outside-turn.ts';
import type { Stage } from '../../plan/stages.ts';
import { NO_HEADERS } from '../../record.ts';

/** What failure handling needs from the task's host. */
interface FailureHost {
  readonly applicationId: string;
  readonly onRecordError: RecordPolicy;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger?: Logger;
}

/** Handles failures in a task: those of a record, for which a policy decides, and those of the task, which end it. */
export class TaskFailures {
  /** Why the task cannot continue; its host decides what follows. */
  failure: MillraceError | undefined;
  readonly #host: FailureHost;
  readonly #stage: Stage;
  readonly #outputs: OutputBuffers;
  readonly #counters: TaskCounters;
  readonly #logger: Logger;

  constructor(host: FailureHost, stage: Stage, outputs: OutputBuffers, counters: TaskCounters) {
    this.#host = host;
    this.#stage = stage;
    this.#outputs = outputs;
    this.#counters = counters;
    this.#logger = host.logger ?? noLogger;
  }

  fail(error: unknown): void {
    this.failure ??=
      error instanceof MillraceError
        ? error
        : new FatalError('ERR_INTERNAL', `stage ${this.#stage.name} failed: ${describe(error)}`, { cause: error });
  }

  /** Applies the policy of the record's topic, or that of the application. */
  record(error: unknown, step: string, origin: InputOrigin): void {
    if (this.failure !== undefined) return;
    const place = this.#place(step);
    const failure = asRecordError(error, place, origin);
    const policy = this.#policyFor(origin.topic);
    if (failure.errorClass !== 'record' || policy === 'fail') {
      this.fail(failure);
      return;
    }
    try {
      if (isDeadLetter(policy)) this.#write(this.#outputs, policy.deadLetter, failure, place, origin);
    } catch (unwritten) {
      // If the dead letter cannot be written, the record must not be skipped.
      this.fail(unwritten);
      return;
    }
    this.#applied(policy, error, step, origin);
  }

  /**
   * Applies the policy to a record that the log has refused, after the turn that wrote it.
   *
   * @param target - The topic that it was written to.
   * @param read - Reads the input record that it came from.
   * @returns The batches to write instead.
   * @throws MillraceError if the policy is to fail, or the dead letter is refused
   */
  async refused(
    error: MillraceError,
    target: string,
    from: Pick<InputOrigin, 'topic' | 'partition' | 'offset' | 'row'>,
    read: () => Promise<InputOrigin | undefined>,
  ): Promise<readonly OutgoingBatch[]> {
    if (from.row === FORGOTTEN_ROW) throw again(error);
    const step = `to(${target})`;
    const place = this.#place(step);
    const bare: InputOrigin = { timestamp: 0, key: null, value: null, headers: NO_HEADERS, ...from };
    const policy = this.#policyFor(from.topic);
    if (policy === 'fail') throw asRecordError(error, place, bare);
    const letters = new OutputBuffers((topic) => this.#outputs.limits(topic));
    if (isDeadLetter(policy)) {
      // The letter is made again when the work is redone; by then the limit of the topic is known.
      if (target === policy.deadLetter) throw again(error);
      // A kept row cannot be read again: the record that was being processed when it was due is unrelated.
      const origin = { ...((from.row?.kept === undefined ? await read() : undefined) ?? bare), row: from.row };
      this.#write(letters, policy.deadLetter, asRecordError(error, place, origin), place, origin);
    }
    this.#counters.recordsOut -= 1;
    this.#applied(policy, error, step, bare);
    return letters.take();
  }

  #place(step: string): FailurePlace {
    return { applicationId: this.#host.applicationId, stage: this.#stage.name, step };
  }

  #policyFor(topic: string): RecordPolicy {
    return this.#stage.inputs.find(({ name }) => name === topic)?.onRecordError ?? this.#host.onRecordError;
  }

  #applied(policy: RecordPolicy, error: unknown, step: string, origin: InputOrigin): void {
    const { offset, partition, row, topic } = origin;
    const letter = isDeadLetter(policy);
    if (letter) this.#counters.deadLettered += 1;
    else this.#counters.skipped += 1;
    // Not the message of the record's failure, which shows bytes of the record that do not belong in logs.
    const reason = error instanceof MillraceError ? bareMessage(error) : describe(error);
    const code = error instanceof MillraceError ? error.code : 'ERR_USER_CODE';
    const fields = { code, error: reason, stage: this.#stage.name, step, topic, partition, offset };
    const done = letter ? 'sent to the dead-letter topic' : 'skipped';
    if (row?.kept === undefined) this.#logger.warn(fields, `record ${done}`);
    else {
      const { key, window } = row.kept;
      this.#logger.warn({ ...fields, row: row.step, key: keyText(key), window }, `row ${done}`);
    }
  }

  /** Applies the policy of the topic to an unreadable batch. @returns Whether it is skipped. */
  batch({ error, origin, records }: UnreadableRange): boolean {
    const policy = this.#policyFor(origin.topic);
    if (policy === 'fail' || this.failure !== undefined) return false;
    const { lastOffset, offset, partition, topic } = origin;
    const place = this.#place(`topic(${topic})`);
    if (isDeadLetter(policy)) {
      this.#write(this.#outputs, policy.deadLetter, error, place, origin);
      this.#counters.deadLettered += records;
    } else this.#counters.skipped += records;
    this.#logger.warn(
      {
        code: error.code,
        error: bareMessage(error),
        stage: this.#stage.name,
        topic,
        partition,
        offset,
        lastOffset,
        records,
      },
      isDeadLetter(policy) ? 'unreadable batch sent to the dead-letter topic' : 'unreadable batch skipped',
    );
    return true;
  }

  #write(into: OutputBuffers, topic: string, failure: MillraceError, place: FailurePlace, origin: InputOrigin): void {
    const { compacted = false, maxMessageBytes } = this.#outputs.limits(topic);
    const letter = deadLetterOf(failure, place, origin, this.#host.clock.now(), { topic, compacted, maxMessageBytes });
    into.topic(topic).append(-1, letter.timestamp, letter.key, letter.value, letter.headers);
  }

  outsideTurn(step: string): void {
    this.fail(outsideTurn(`a record reached ${step} outside its task's turn`, this.#stage.name, step));
  }

  /** A plain operator still has work in progress at the end of a turn. */
  held(step: string): void {
    this.fail(outsideTurn("an operator holds a record to emit it outside its task's turn", this.#stage.name, step));
  }

  /** A plain operator has work in progress before the first record. */
  waitsFromStart(step: string): void {
    this.fail(waitsFromStart(this.#stage.name, step));
  }

  /** A plain operator accepts no more records. */
  ended(step: string): void {
    this.fail(
      new FatalError('ERR_STREAM_ENDED', 'an operator ended its stream, so further records would be lost', {
        stage: this.#stage.name,
        step,
        hint:
          'take, takeWhile, first, catchError and similar operators end their stream, but a topic has no end: use filter(…) to ' +
          'skip records, and app.stop() to end a run',
      }),
    );
  }

  /** @param origin - The record that was being processed; none outside a turn. */
  chain(error: unknown, step: string, origin?: InputOrigin): void {
    const { offset, partition, topic } = origin ?? {};
    const row = origin === undefined ? '' : rowWords(origin);
    this.fail(
      error instanceof MillraceError
        ? error
        : new MillraceError('abortable', 'ERR_CHAIN', `an operator above ${step} threw: ${describe(error)}${row}`, {
            stage: this.#stage.name,
            step,
            ...(topic === undefined || partition === undefined || offset === undefined || offset < 0 || row !== ''
              ? {}
              : { topic, partition, offset }),
            cause: error,
            hint: 'a throw in a plain RxJS operator ends its stream; in mapValues, filterValues, … it goes to the record policy',
          }),
    );
  }
}

/** The work of the commit is to be done again. */
function again(error: MillraceError): MillraceError {
  return new MillraceError('abortable', error.code, bareMessage(error), { cause: error });
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
