import type { AbortedTransaction } from '../../../src/transports/kafka/wire/fetch.ts';
import type { WireWriter } from '../../../src/transports/kafka/wire/writer.ts';
import type { Handler } from './broker.ts';
import type { ModelTopic } from './topics.ts';

interface Answer {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly stable: number;
  readonly start: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly records: Uint8Array;
}

const NONE = new Uint8Array(0);
const failed = (partition: number, errorCode: number): Answer => {
  return { partition, errorCode, highWatermark: -1, stable: -1, start: -1, aborted: [], records: NONE };
};

/** Records of some partitions; where there are none, it waits for some, up to the time that is given. */
export const fetchRecords: Handler = async (reader, writer, broker, asked) => {
  const { version } = asked;
  reader.int32();
  const maxWaitMs = reader.int32();
  reader.int32();
  const maxBytes = reader.int32();
  const committed = reader.int8() === 1;
  reader.int32();
  reader.int32();
  const wanted = reader.compactArray(() => {
    const name = version >= 13 ? (reader.uuid() ?? '') : reader.compactString();
    const partitions = reader.compactArray(() => {
      const partition = reader.int32();
      reader.int32();
      const offset = reader.int64();
      reader.int32();
      reader.int64();
      const limit = reader.int32();
      reader.tags();
      return { partition, offset, limit };
    });
    reader.tags();
    return { name, partitions };
  });
  const topicOf = (name: string): ModelTopic | undefined =>
    version >= 13 ? broker.topics.byId.get(name) : broker.topics.byName.get(name);
  const read = (): {
    readonly answers: { readonly name: string; readonly partitions: Answer[] }[];
    readonly full: boolean;
  } => {
    let left = maxBytes;
    let full = false;
    const answers = wanted.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ limit, offset, partition }): Answer => {
        const log = topicOf(name)?.partitions[partition];
        if (log === undefined) {
          full = true;
          return failed(partition, topicOf(name) === undefined && version >= 13 ? 100 : 3);
        }
        if (!broker.isFor(`${topicOf(name)?.name}/${partition}`, asked)) {
          full = true;
          return failed(partition, 6);
        }
        if (offset < log.start || offset > log.end) {
          full = true;
          return failed(partition, 1);
        }
        const { aborted, records } = log.read(offset, Math.min(limit, left), committed, !full);
        left -= records.length;
        full ||= records.length > 0;
        const { end, stable, start } = log;
        return { partition, errorCode: 0, highWatermark: end, stable, start, aborted, records };
      }),
    }));
    return { answers, full };
  };
  let found = read();
  if (!found.full && maxWaitMs > 0) {
    await new Promise<void>((resolve) => {
      const stops = wanted.flatMap(({ name, partitions }) =>
        partitions.map(({ partition }) => topicOf(name)?.partitions[partition]?.onMore(() => perhaps())),
      );
      const over = (): void => {
        cancel();
        for (const stop of stops) stop?.();
        resolve();
      };
      const cancel = broker.clock.after(maxWaitMs, over);
      const perhaps = (): void => {
        if (read().full) over();
      };
    });
    found = read();
  }
  writer
    .int32(0)
    .int16(0)
    .int32(0)
    .compactArray(found.answers, ({ name, partitions }) => {
      if (version >= 13) writer.uuid(name === '' ? undefined : name);
      else writer.compactString(name);
      writer.compactArray(partitions, (answer) => writeAnswer(writer, answer)).tags();
    })
    .tags();
};

function writeAnswer(writer: WireWriter, answer: Answer): void {
  const { aborted, errorCode, highWatermark, partition, records, stable, start } = answer;
  writer.int32(partition).int16(errorCode).int64(highWatermark).int64(stable).int64(start);
  writer
    .compactArray(aborted, ({ firstOffset, producerId }) => writer.bigint64(producerId).int64(firstOffset).tags())
    .int32(-1)
    .compactBytes(records)
    .tags();
}
