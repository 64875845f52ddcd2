import type { CommitUnit, GroupSession, OutgoingBatch } from '../../log/transport.ts';
import type { LocalStores } from '../../state/byte-store.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import type { BatchEncoder, EncodedBatch } from './encode-batches.ts';
import type { GroupMember } from './group-member.ts';

/** How a session keeps its guarantee. Calls take effect in order. */
export interface SessionWriter {
  /** The member has joined. */
  begin(): Promise<void>;
  /** Resolves when the batches of a generation's work have been accepted. */
  send(batches: readonly EncodedBatch[], generation: number): Promise<void>;
  commit(unit: CommitUnit): Promise<void>;
  waitingFor(): string | undefined;
  close(): Promise<void>;
}

/** A group session on Kafka. */
export class KafkaSession implements GroupSession {
  readonly stores: LocalStores;
  readonly #member: GroupMember;
  readonly #writer: SessionWriter;
  readonly #encoder: BatchEncoder;
  readonly #onLeft: () => void;
  readonly #gate = new OrderedGate();
  /** Batches of earlier calls that have not been accepted yet. */
  readonly #preparing = new Set<Promise<EncodedBatch>>();

  constructor(
    member: GroupMember,
    writer: SessionWriter,
    encoder: BatchEncoder,
    stores: LocalStores,
    onLeft: () => void,
  ) {
    this.#member = member;
    this.#writer = writer;
    this.#encoder = encoder;
    this.stores = stores;
    this.#onLeft = onLeft;
  }

  get generation(): number {
    return this.#member.generation;
  }

  get epoch(): number {
    return this.#member.epoch;
  }

  send(batches: readonly OutgoingBatch[], generation: number = this.generation): Promise<void> {
    // If earlier batches cannot be passed on, they are written later, by the next life of the tasks. Anything written
    // before that would be read out of order.
    const earlier: readonly Promise<unknown>[] = [...this.#preparing];
    const encoded = this.#prepare(batches);
    const sent = this.#send(earlier, encoded, generation);
    const known = (): void => {
      for (const each of encoded) if (each instanceof Promise) this.#preparing.delete(each);
    };
    // The sender learns of a failure first; later calls know of it.
    sent.then(known, () => queueMicrotask(known));
    return sent;
  }

  async #send(
    earlier: readonly Promise<unknown>[],
    encoded: readonly (EncodedBatch | Promise<EncodedBatch>)[],
    generation: number,
  ): Promise<void> {
    // Batches are passed on in order; the gate opens for the next call before this one has been accepted.
    const { taken } = await this.#gate.run<unknown, { taken: Promise<void> }>([...earlier, ...encoded], (ready) => ({
      taken: this.#writer.send(ready.slice(earlier.length) as EncodedBatch[], generation),
    }));
    await taken;
  }

  #prepare(batches: readonly OutgoingBatch[]): readonly (EncodedBatch | Promise<EncodedBatch>)[] {
    let encoded: readonly (EncodedBatch | Promise<EncodedBatch>)[];
    try {
      encoded = prepareAll(batches, (batch) => this.#encoder.encode(batch));
    } catch (error) {
      encoded = [Promise.reject(error)];
    }
    for (const each of encoded) if (each instanceof Promise) this.#preparing.add(each);
    return encoded;
  }

  commit(unit: CommitUnit): Promise<void> {
    const commit = this.#commit(unit);
    this.#member.track(commit);
    return commit;
  }

  async #commit(unit: CommitUnit): Promise<void> {
    // If earlier batches could not be passed on, they are not written, so nothing after them may be committed.
    const before: readonly Promise<unknown>[] = [...this.#preparing];
    const { done } = await this.#gate.run(before, () => ({ done: this.#writer.commit(unit) }));
    await done;
  }

  waitingFor(): string | undefined {
    return this.#member.waitingFor() ?? this.#writer.waitingFor();
  }

  async leave(): Promise<void> {
    try {
      await this.#member.leave();
      await this.#writer.close();
    } finally {
      // Close them in any case: the next session of this process needs them.
      await this.stores.close();
      this.#onLeft();
    }
  }
}
