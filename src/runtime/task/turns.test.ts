import { connect, int32, memoryTransport, run, string, topic } from 'millrace';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../dataflow/clock.ts';

const soon = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Runs an application in which time passes only while it works, and tells how many records each go at the events took. */
async function recordsPerSlice(partitions: number, records: number, msPerRecord: number): Promise<number[]> {
  const transport = memoryTransport();
  const source = topic('source', { key: string(), value: int32(), partitions });
  const client = await connect({ transport });
  await client.topics.create(source);
  await client.publishAll(
    source,
    Array.from({ length: records }, (_, n) => ({ key: `${n}`, value: n })),
  );
  const done = { ms: 0, read: 0 };
  const clock: Clock = { ...systemClock, monotonic: () => done.ms };
  const pipeline = source.pipe(
    tap(() => {
      done.ms += msPerRecord;
      done.read += 1;
    }),
  );
  const app = run(pipeline, { applicationId: 'slow', transport, clock });
  const slices: number[] = [];
  while (done.read < records) {
    const before = done.read;
    await soon();
    if (done.read > before) slices.push(done.read - before);
  }
  await app.stop();
  await client.close();
  return slices;
}

describe('turns', () => {
  it.each([1, 10])('end by time: with %d tasks other events are handled between slow records', async (partitions) => {
    const slices = await recordsPerSlice(partitions, 400, 30);
    expect(Math.max(...slices)).toBeLessThanOrEqual(8);
    // Once it has been seen that records are slow, they go one by one.
    expect(Math.max(...slices.slice(partitions))).toBe(1);
  });

  it('take many quick records at once', async () => {
    expect((await recordsPerSlice(1, 2000, 0.001)).length).toBeLessThan(8);
  });
});
