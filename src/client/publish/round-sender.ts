import { MillraceError } from '../../errors.ts';
import type { AppendResult, OutgoingBatch, Producer } from '../../log/transport.ts';
import { writeFailure } from '../failures.ts';
import { acknowledge, type Round, type RoundBatch, refuse } from './round.ts';

/** Errors that show that a topic has changed and must be looked up again. */
const TOPIC_CHANGED = new Set(['ERR_UNKNOWN_TOPIC', 'ERR_UNKNOWN_PARTITION', 'ERR_RECORD_TOO_LARGE']);

/** Sends rounds and makes sure that a refused record does not fail the others. */
export class RoundSender {
  readonly #producer: Producer;
  readonly #compressFrom: number;
  readonly #relook: (topic: string) => Promise<unknown>;

  /**
   * @param compressFrom - Batches below this size are not worth compressing.
   * @param relook - Looks a topic up again.
   */
  constructor(producer: Producer, compressFrom: number, relook: (topic: string) => Promise<unknown>) {
    this.#producer = producer;
    this.#compressFrom = compressFrom;
    this.#relook = relook;
  }

  /** Never rejects: it settles the promises of the waiting calls. @param over - Called before that. */
  async send(round: Round, over: () => void): Promise<void> {
    const list = round.take();
    const batches = list.map(({ batch }) => this.#compressed(batch));
    const changed = new Set<string>();
    let failure: MillraceError | undefined;
    const settle = (each: RoundBatch, outcome: AppendResult | MillraceError): void => {
      const failures = outcome instanceof MillraceError ? [outcome] : (outcome.refused?.values() ?? []);
      for (const { code } of failures) if (TOPIC_CHANGED.has(code)) changed.add(each.batch.topic);
      if (outcome instanceof MillraceError) refuse(each, outcome);
      else acknowledge(each, outcome);
    };
    let outcomes: readonly (AppendResult | MillraceError)[] = [];
    try {
      outcomes = await (round.atomic ? this.#producer.send(batches) : this.#producer.sendEach(batches));
    } catch (error) {
      failure = writeFailure(error, (list[0] as RoundBatch).batch.topic, 'unknown');
    }
    over();
    list.forEach((each, index) => settle(each, failure ?? (outcomes[index] as AppendResult | MillraceError)));
    // The next round needs the new metadata.
    for (const topic of changed) await this.#relook(topic);
    round.finish(failure);
  }

  giveUp(round: Round, error: MillraceError): void {
    for (const each of round.take()) refuse(each, error);
    round.finish(error);
  }

  #compressed(batch: OutgoingBatch): OutgoingBatch {
    if (batch.compression === 'none' || batch.records.sizeInBytes >= this.#compressFrom) return batch;
    return { ...batch, compression: 'none' };
  }
}
