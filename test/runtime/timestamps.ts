import { connect, json, type RunOptions, run, string, to, topic } from 'millrace';
import { expect, it } from 'vitest';
import { unique } from '../contract/support.ts';

type Where = Pick<RunOptions, 'transport' | 'path' | 'brokers'>;

interface Fact {
  readonly at: number | null;
}

/** Timestamps that the values of a topic say, on a log. @param make - Where the log is. */
export function timestampTests(make: () => Where): void {
  it('takes timestamps from values, and the time of the partition from before a restart (TM-6)', async () => {
    const where = make();
    const client = await connect(where);
    const name = unique('facts');
    const source = topic(name, {
      key: string(),
      value: json<Fact>(),
      partitions: 2,
      timestamp: ({ at }) => at as number,
      onInvalidTimestamp: 'partition-time',
    });
    const out = topic(`${name}-out`, { key: string(), value: json<Fact>(), partitions: 1 });
    const options = { ...where, applicationId: name, until: 'end' } as RunOptions;
    const pass = (...times: readonly (number | null)[]): Promise<unknown> =>
      client
        .publishAll(
          source,
          times.flatMap((at) => ['a', 'b', 'c', 'd'].map((key) => ({ key, value: { at } }))),
        )
        .then(() => run(source.pipe(to(out)), options).done);
    try {
      await client.topics.create(source);
      await client.topics.create(out);
      await pass(70, 90, 80);
      await pass(null, 85);
      const read: string[] = [];
      for await (const { key, timestamp } of client.records(out, { from: 'earliest' })) {
        read.push(`${key}@${timestamp}`);
        if (read.length === 20) break;
      }
      const wanted = ['a', 'b', 'c', 'd'].flatMap((key) => [70, 80, 85, 90, 90].map((time) => `${key}@${time}`));
      expect(read.sort()).toEqual(wanted);
    } finally {
      await client.close();
    }
  });
}
