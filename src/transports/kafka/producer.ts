import { MillraceError } from '../../errors.ts';
import type { AppendResult, OutgoingBatch, Producer } from '../../log/transport.ts';
import { closed } from '../local/errors.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import { BatchSender } from './batch-sender.ts';
import type { Cluster } from './cluster.ts';
import { BatchEncoder, type EncodedBatch } from './encode-batches.ts';
import { newProducerId } from './producer-id.ts';
import type { Topics } from './topics.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** Provides ids for an idempotent, non-transactional producer: partitions share one until one of them needs another. */
export function idempotentIds(cluster: Cluster): (renew: boolean) => Promise<ProducerIdentity> {
  let shared: Promise<ProducerIdentity> | undefined;
  return (renew) => {
    if (renew) return newProducerId(cluster, null);
    shared ??= newProducerId(cluster, null).catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
    return shared;
  };
}

type Outcome = AppendResult | MillraceError;

/** Writes outside any task: each batch once, acknowledged by all in-sync replicas. */
export class KafkaProducer implements Producer {
  readonly #sender: BatchSender;
  readonly #encoder: BatchEncoder;
  readonly #gate = new OrderedGate();
  readonly #sends = new Set<Promise<unknown>>();
  #closed = false;

  constructor(cluster: Cluster, topics: Topics) {
    this.#sender = new BatchSender(cluster, topics, { identify: idempotentIds(cluster) });
    this.#encoder = new BatchEncoder(cluster, topics, false);
  }

  async send(batches: readonly OutgoingBatch[]): Promise<readonly AppendResult[]> {
    if (this.#closed) throw closed('producer');
    return this.#track(this.#send(batches));
  }

  async sendEach(batches: readonly OutgoingBatch[]): Promise<readonly (AppendResult | MillraceError)[]> {
    if (this.#closed) return batches.map(() => closed('producer'));
    return this.#track(this.#sendEach(batches));
  }

  async #send(batches: readonly OutgoingBatch[]): Promise<readonly AppendResult[]> {
    const encoded = prepareAll(batches, (batch) => this.#encoder.encode(batch));
    return outcome(await this.#gate.run(encoded, (ready) => Promise.all(ready.map((batch) => this.#append(batch)))));
  }

  #sendEach(batches: readonly OutgoingBatch[]): Promise<readonly Outcome[]> {
    const encoded = batches.map((batch) => orFailure(() => this.#encoder.encode(batch, true)));
    const append = (ready: readonly (EncodedBatch | MillraceError)[]): Promise<readonly Outcome[]> =>
      Promise.all(ready.map(async (batch) => (batch instanceof MillraceError ? batch : this.#append(batch))));
    return Promise.resolve(this.#gate.run(encoded, append));
  }

  #append(batch: EncodedBatch): Promise<Outcome> {
    const { topic, partition } = batch;
    return this.#sender.append(batch).then(
      (written) => ({ topic, partition, ...written }),
      (error: unknown) => error as MillraceError,
    );
  }

  #track<T>(sending: Promise<T>): Promise<T> {
    this.#sends.add(sending);
    const settled = (): boolean => this.#sends.delete(sending);
    sending.then(settled, settled);
    return sending;
  }

  /** Waits for batches in flight. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#sends);
    this.#sender.close();
  }
}

/** All results, or the first failure. If other batches of the call were written, the failure says so. */
function outcome(results: readonly Outcome[]): readonly AppendResult[] {
  const done: AppendResult[] = [];
  let failure: MillraceError | undefined;
  let unknown = false;
  for (const result of results) {
    if (!(result instanceof MillraceError)) {
      done.push(result);
      continue;
    }
    failure ??= result;
    unknown ||= result.written !== 'no';
  }
  if (failure === undefined) return done;
  if (failure.written === 'unknown' || (!unknown && done.length === 0)) throw failure;
  throw new MillraceError(
    failure.errorClass,
    failure.code,
    `Part of the call may have been written: ${failure.message}`,
    {
      cause: failure,
      written: 'unknown',
    },
  );
}

/** The prepared value, or the error. */
function orFailure<B>(prepare: () => B | Promise<B>): B | MillraceError | Promise<B | MillraceError> {
  const failed = (error: unknown): MillraceError => {
    if (error instanceof MillraceError) return error;
    throw error;
  };
  try {
    const prepared = prepare();
    return prepared instanceof Promise ? prepared.catch(failed) : prepared;
  } catch (error) {
    return failed(error);
  }
}
