import { array, asyncProperty, boolean, assert as check, constantFrom, nat, oneof, record } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MillraceError } from '../../errors.ts';
import { offsetOf } from '../../log/transport.ts';
import { BatchSender } from './batch-sender.ts';
import { BrokerModel, batchOf, clusterOf, topicsOf } from './broker-model.fixtures.ts';
import type { Written } from './partition-line.ts';

/** What becomes of a request, and of its batch in the log. */
const attempt = oneof(
  record({ fate: constantFrom('answered' as const), delay: nat(30) }),
  record({ fate: constantFrom('lost before' as const, 'lost after' as const), delay: nat(30) }),
  record({ fate: constantFrom('late' as const), delay: nat(3000) }),
  record({
    fate: constantFrom('refused' as const),
    code: constantFrom(2, 6, 3, 5, 7, 10, 19, 29, 32, 45, 56, 59, 87, -1, 74, 130),
    delay: nat(30),
  }),
  record({
    fate: constantFrom('appended, then' as const),
    code: constantFrom(-1, 3, 5, 6, 7, 13, 20, 46, 56, 74, 130),
    delay: nat(30),
  }),
);

const step = record({
  bad: array(constantFrom(false, false, false, true), { minLength: 1, maxLength: 6 }),
  divisible: boolean(),
  partition: nat(1),
  waitMs: constantFrom(0, 0, 0, 5, 400),
});

describe('a sender of batches', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says of each record what the log says, whatever a broker answers before or after appending', async () => {
    await check(
      asyncProperty(
        array(step, { minLength: 1, maxLength: 14 }),
        array(attempt, { maxLength: 40 }),
        array(constantFrom(0, 5, 50, 150, 400, 900), { maxLength: 20 }),
        boolean(),
        boolean(),
        async (steps, attempts, lookUps, transactional, tells) => {
          const broker = new BrokerModel(attempts, tells);
          const cluster = clusterOf(broker, { deliveryTimeoutMs: 2500, requestTimeoutMs: 1000 });
          const waits = [...lookUps];
          const lookUp = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, waits.shift() ?? 0));
          const sender = new BatchSender(cluster, topicsOf(lookUp), {
            ...(transactional ? { transactionalId: 'tx' } : {}),
            identify: async () => {
              await lookUp();
              return broker.identity(transactional);
            },
          });
          const outcomes: { readonly written?: Written; readonly error?: MillraceError }[] = [];
          const sent = steps.map(({ bad, divisible, partition }) => batchOf(partition, bad, divisible));
          for (const [at, { waitMs }] of steps.entries()) {
            sender.append(sent[at]!).then(
              (written) => (outcomes[at] = { written }),
              (error: MillraceError) => (outcomes[at] = { error }),
            );
            if (waitMs > 0) await vi.advanceTimersByTimeAsync(waitMs);
          }
          // The time is over, and what is still on its way has arrived.
          await vi.advanceTimersByTimeAsync(60_000);
          const lastOffset = [-1, -1];
          for (const [at, { names, partition }] of sent.entries()) {
            expect(outcomes[at]).toBeDefined();
            const { error, written } = outcomes[at]!;
            for (const [index, name] of names.entries()) {
              const found = broker.offsetsOf(partition, name);
              const refusal = error ?? written?.refused?.get(index);
              if (refusal === undefined) {
                const offset = offsetOf(written!, index);
                expect(found).toHaveLength(1);
                if (offset !== -1) expect(found).toEqual([offset]);
                expect(found[0]).toBeGreaterThan(lastOffset[partition]!);
                lastOffset[partition] = found[0]!;
              } else if (refusal.written === 'no') expect(found).toEqual([]);
              else {
                expect(refusal.written).toBe('unknown');
                expect(found.length).toBeLessThan(2);
              }
            }
          }
          sender.close();
        },
      ),
      { numRuns: 300 },
    );
  });
});
