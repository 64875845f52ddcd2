import { connect, countByKey, int32, type MillraceError, mapValues, run, string, to, topic } from 'millrace';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { unique } from '../contract/support.ts';
import { Changeable, harmlessChanges, rollingChanges } from '../runtime/harmless-changes.ts';

describe.each(['at-least-once', 'exactly-once'] as const)(
  'an application starts and counts everything once, %s',
  (guarantee) => {
    it.each([...harmlessChanges, ...rollingChanges])('after %s', { timeout: 240_000 }, async (_, change) => {
      const open = kafkaTransport({ brokers: inject('brokers'), guarantee });
      const app = new Changeable(open, `${unique('harmless')}-`);
      onTestFinished(() => app.close());
      await change(app);
    });

    it('commits offsets with more stores and topics than their metadata has room for', {
      timeout: 240_000,
    }, async () => {
      const brokers = inject('brokers');
      const id = unique('wide');
      const client = await connect({ brokers });
      onTestFinished(() => client.close());
      const use = { key: string(), value: int32() };
      const [numbers, counts, mid] = [topic(`${id}-in`, use), topic(`${id}-out`, use), topic(`${id}-mid`, use)];
      await client.topics.create(numbers, { partitions: 20 });
      for (const name of [counts, mid]) await client.topics.create(name, { partitions: 1 });
      const steps = (count: number) =>
        Array.from({ length: count }, (_, n) => mid.pipe(countByKey({ store: `${n}-${'s'.repeat(30)}` }), to(counts)));
      for (const count of [10, 200, 120, 1]) {
        await client.publishAll(
          numbers,
          Array.from({ length: 26 }, (_, n) => ({ key: `k${n}`, value: 1 })),
        );
        const pipeline = [
          numbers.pipe(
            mapValues((n) => n),
            to(mid),
          ),
          ...steps(count),
        ];
        const app = run(pipeline, { applicationId: id, brokers, until: 'end', kafka: { guarantee }, logger: false });
        const refusal = await app.done.then(
          () => undefined,
          ({ message }: MillraceError) => message,
        );
        expect(refusal).toBeUndefined();
      }
      expect(Math.max(...(await client.lag(id, numbers)).values())).toBe(0);
    });
  },
);
