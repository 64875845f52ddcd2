import type { MillraceError } from '../errors.ts';
import type { OutputTopic } from '../runtime/outputs.ts';
import type { AppendResult, OutgoingBatch, Producer } from '../runtime/transport.ts';
import { writeFailure } from './failures.ts';
import { repack } from './repack.ts';
import { acknowledge, type Round, type RoundBatch, refuse } from './round.ts';

/** Errors after which a topic is looked up again: it is not what it was. */
const TOPIC_CHANGED = new Set(['ERR_UNKNOWN_TOPIC', 'ERR_UNKNOWN_PARTITION', 'ERR_RECORD_TOO_LARGE']);

/** Sends rounds, and sees to it that a batch that is refused does not take the others with it. */
export class RoundSender {
  readonly #producer: Producer;
  readonly #compressFrom: number;
  readonly #relook: (topic: string) => Promise<OutputTopic | undefined>;

  /**
   * @param compressFrom - Batches below this size are not worth compressing.
   * @param relook - Looks a topic up anew.
   */
  constructor(producer: Producer, compressFrom: number, relook: (topic: string) => Promise<OutputTopic | undefined>) {
    this.#producer = producer;
    this.#compressFrom = compressFrom;
    this.#relook = relook;
  }

  /** Never rejects: whoever waits is told. */
  async send(round: Round): Promise<void> {
    let rest = round.take();
    let failure: MillraceError | undefined;
    while (rest.length > 0) {
      try {
        const results = await this.#producer.send(rest.map(({ batch }) => this.#compressed(batch)));
        rest.forEach((each, index) => acknowledge(each, results[index] as AppendResult));
        rest = [];
      } catch (error) {
        failure = writeFailure(error, (rest[0] as RoundBatch).batch.topic, 'unknown');
        rest = await this.#without(rest, failure, round.atomic);
      }
    }
    round.finish(failure);
  }

  giveUp(round: Round, error: MillraceError): void {
    for (const each of round.take()) refuse(each, error);
    round.finish(error);
  }

  /** What is left of a round after a failure; those that met it are told. */
  async #without(batches: RoundBatch[], error: MillraceError, atomic: boolean): Promise<RoundBatch[]> {
    const limits =
      error.topic !== undefined && TOPIC_CHANGED.has(error.code) ? await this.#relook(error.topic) : undefined;
    const guilty = batches.filter(({ batch }) => isAbout(error, batch));
    if (atomic || error.written !== 'no' || guilty.length === 0) {
      for (const each of batches) refuse(each, error);
      return [];
    }
    const rest: RoundBatch[] = [];
    for (const each of batches) {
      if (!guilty.includes(each)) rest.push(each);
      else if (limits !== undefined && isTooLarge(error, each, limits)) rest.push(...repack(each, limits));
      else refuse(each, error);
    }
    return rest;
  }

  #compressed(batch: OutgoingBatch): OutgoingBatch {
    if (batch.compression === 'none' || batch.records.sizeInBytes >= this.#compressFrom) return batch;
    return { ...batch, compression: 'none' };
  }
}

function isAbout(error: MillraceError, { partition, topic }: OutgoingBatch): boolean {
  return error.topic === topic && (error.partition === undefined || error.partition === partition);
}

/** Whether cutting the batch anew makes sense: it must become smaller by it. */
function isTooLarge({ code }: MillraceError, { batch }: RoundBatch, { maxMessageBytes }: OutputTopic): boolean {
  return code === 'ERR_RECORD_TOO_LARGE' && batch.records.sizeInBytes > maxMessageBytes;
}
