import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { peekBatchHeader, stampBaseOffset } from '../../protocol/batch-header.ts';
import { answerFrame, type FakeBroker, type FakeRequest, fakeBroker } from './fake-broker.fixtures.ts';
import { WireReader } from './wire/reader.ts';
import { WireWriter } from './wire/writer.ts';

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

/** One topic in the memory of a fake broker, which fetches as Kafka does. */
export class FakeLog {
  readonly topic = 'topic';
  readonly #partitions: Uint8Array[][];
  /** What each fetch request named, in order. */
  readonly fetches: (readonly Wanted[])[] = [];
  readonly largestAnswer = { bytes: 0 };

  constructor(partitions: number) {
    this.#partitions = Array.from({ length: partitions }, () => []);
  }

  /** Appends a batch, encoded or to be built. */
  append(partition: number, batch: Uint8Array): void {
    const log = this.#partitions[partition] as Uint8Array[];
    const copy = new Uint8Array(batch);
    stampBaseOffset(copy, this.#end(partition));
    log.push(copy);
  }

  /** Appends a batch with one record of some size. */
  appendOne(partition: number, bytes: number): void {
    const builder = new RecordBatchBuilder();
    builder.append(1, null, new Uint8Array(bytes), []);
    this.append(partition, builder.finish());
  }

  open(): Promise<FakeBroker> {
    let broker: FakeBroker | undefined;
    return fakeBroker((request) => {
      if (request.key === 3) this.#metadata(request, broker as FakeBroker);
      else if (request.key === 1) this.#fetch(request);
    }).then((opened) => {
      broker = opened;
      return opened;
    });
  }

  #end(partition: number): number {
    const last = this.#partitions[partition]?.at(-1);
    return last === undefined ? 0 : (peekBatchHeader(last, 0)?.nextOffset ?? 0);
  }

  #metadata({ correlationId, socket }: FakeRequest, { host, port }: FakeBroker): void {
    const writer = new WireWriter();
    writer
      .int32(0)
      .array([1], (id) => writer.int32(id).string(host).int32(port).string(null))
      .string(null)
      .int32(1)
      .array([this.topic], (topic) =>
        writer
          .int16(0)
          .string(topic)
          .boolean(false)
          .array([...this.#partitions.keys()], (partition) =>
            writer
              .int16(0)
              .int32(partition)
              .int32(1)
              .int32(0)
              .array([1], (id) => writer.int32(id))
              .array([1], (id) => writer.int32(id))
              .array([], () => undefined),
          ),
      );
    socket.write(answerFrame(correlationId, Buffer.concat(writer.pieces())));
  }

  /** The first partition with records gives a whole batch at least, the others no more than is asked for. */
  #fetch({ correlationId, socket, payload }: FakeRequest): void {
    const wanted = readFetch(payload);
    this.fetches.push(wanted.partitions);
    let left = wanted.maxBytes;
    let first = true;
    const answers = wanted.partitions.map((each) => {
      const batches = (this.#partitions[each.partition] as Uint8Array[]).filter(
        (batch) => (peekBatchHeader(batch, 0)?.nextOffset ?? 0) > each.offset,
      );
      const taken: Uint8Array[] = [];
      let room = Math.min(each.maxBytes, left);
      for (const batch of batches) {
        if (batch.length > room && !(first && taken.length === 0)) break;
        taken.push(batch);
        room -= batch.length;
        left -= batch.length;
      }
      if (taken.length > 0) first = false;
      return { partition: each.partition, records: Buffer.concat(taken) };
    });
    const writer = new WireWriter();
    writer
      .int32(0)
      .int16(0)
      .int32(0)
      .array([this.topic], (topic) =>
        writer.string(topic).array(answers, ({ partition, records }) =>
          writer
            .int32(partition)
            .int16(0)
            .int64(this.#end(partition))
            .int64(this.#end(partition))
            .int64(0)
            .array([], () => undefined)
            .int32(-1)
            .bytes(records),
        ),
      );
    const frame = answerFrame(correlationId, Buffer.concat(writer.pieces()));
    this.largestAnswer.bytes = Math.max(this.largestAnswer.bytes, frame.length);
    const nothing = answers.every(({ records }) => records.length === 0);
    if (nothing) setTimeout(() => socket.write(frame), wanted.maxWaitMs).unref();
    else socket.write(frame);
  }
}

function readFetch(payload: Uint8Array): { maxWaitMs: number; maxBytes: number; partitions: Wanted[] } {
  const reader = new WireReader(payload);
  reader.int32();
  const maxWaitMs = reader.int32();
  reader.int32();
  const maxBytes = reader.int32();
  reader.int8();
  reader.int32();
  reader.int32();
  const topics = reader.array(() => {
    const topic = reader.string();
    return reader.array(() => {
      const partition = reader.int32();
      reader.int32();
      const offset = reader.int64();
      reader.int64();
      return { topic, partition, offset, maxBytes: reader.int32() };
    });
  });
  return { maxWaitMs, maxBytes, partitions: topics.flat() };
}
