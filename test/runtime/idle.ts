import { agg, connect, json, type RunOptions, run, session, string, to, topic, tumbling, windowBy } from 'millrace';
import { expect, it } from 'vitest';
import { unique } from '../contract/support.ts';

type Where = Pick<RunOptions, 'transport' | 'path' | 'brokers'>;

/** Windows that close because nothing comes, on a log. @param make - Where the log is. */
export function idleTests(make: () => Where): void {
  it('closes windows after a silence, once, also over a restart, and calls what comes then late', async () => {
    const where = make();
    const client = await connect(where);
    const name = unique('idle');
    const source = topic(name, { key: string(), value: json<number>(), partitions: 2 });
    const out = topic(`${name}-out`, { key: string(), value: json<number>(), partitions: 1 });
    const counts = source.pipe(
      windowBy(tumbling({ size: '500ms', grace: '0ms' }), agg.count(), { store: 'counts' }),
      to(out),
    );
    const visits = source.pipe(
      windowBy(session({ gap: '300ms', grace: '0ms' }), agg.count(), { store: 'visits' }),
      to(out),
    );
    const options = { ...where, applicationId: name, idle: '200ms' } as RunOptions;
    try {
      await client.topics.create(source);
      await client.topics.create(out);
      await client.publishAll(
        source,
        ['a', 'b', 'c'].flatMap((key) => [10, 20].map((timestamp) => ({ key, value: 1, timestamp }))),
      );
      const first = run([counts, visits], options);
      const read: string[] = [];
      for await (const { key, value } of client.records(out, { from: 'earliest' })) {
        read.push(`${key} ${value}`);
        if (read.length === 6) break;
      }
      expect(read.sort()).toEqual(['a 2', 'a 2', 'b 2', 'b 2', 'c 2', 'c 2']);
      await first.stop();
      const second = run([counts, visits], options);
      const marks = ['a', 'b', 'c'];
      await client.publishAll(
        source,
        marks.flatMap((key) => [
          { key, value: 1, timestamp: 30 },
          { key, value: 1, timestamp: 90_000 },
        ]),
      );
      for await (const { key, timestamp } of client.records(out, { from: 'earliest' })) {
        read.push(`${key}@${timestamp}`);
        if (read.length === 18) break;
      }
      expect(read.slice(-6).sort()).toEqual(marks.flatMap((key) => [`${key}@90000`, `${key}@90000`]));
      expect(second.snapshot().late).toBe(6);
      await second.stop();
    } finally {
      await client.close();
    }
  });
}
