import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedApplication } from './shared-application.ts';
import type { Shape } from './shuffle-time.ts';
import { rounds, until } from './support.ts';

/** What happens to instances while they work on what lay there when they started. */
type Step = 'start' | 'start slowly' | 'restored' | 'stop' | 'kill';

/** Steps, each after so many rounds of the event loop; then all are ended. */
interface Life {
  readonly records: number;
  readonly steps: readonly (readonly [Step, instance: number, after: number])[];
  readonly end: 'stop' | 'kill';
}

interface Plan extends Shape {
  readonly lives: readonly Life[];
}

/** Steps that hold rows back need grace where an application is stopped and goes on with newer records. */
const names = ['one', 'two', 'plain', 'plain between', 'asynchronous', 'seldom'] as const;

const plan: fc.Arbitrary<Plan> = fc.record({
  name: fc.constantFrom(...names),
  sources: fc.integer({ min: 1, max: 5 }),
  shuffles: fc.integer({ min: 1, max: 3 }),
  lives: fc.array(
    fc.record({
      records: fc.integer({ min: 0, max: 300 }),
      steps: fc.array(
        fc.tuple(
          fc.constantFrom<Step>('start', 'start slowly', 'start slowly', 'restored', 'stop', 'kill'),
          fc.nat({ max: 3 }),
          fc.nat({ max: 25 }),
        ),
        { maxLength: 6 },
      ),
      end: fc.constantFrom('stop', 'kill'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

async function live(application: SharedApplication, { end, records, steps }: Life): Promise<void> {
  application.publish(records);
  const { instances } = application;
  application.start(steps[0]?.[0] === 'start slowly');
  for (const [step, which, after] of steps) {
    await rounds(after);
    const instance = instances[which % instances.length]!;
    if (step === 'start' || step === 'start slowly') {
      if (instances.length < 4) application.start(step === 'start slowly');
    } else if (step === 'restored') instance.restored();
    else if (step === 'stop') await instance.stop();
    else await instance.kill();
  }
  // Somebody does what is left.
  application.start();
  for (const instance of instances) instance.restored();
  const waiting = (): string[] => instances.flatMap(({ app, killed }) => (killed ? [] : app.snapshot().waitingFor));
  await until('nobody to wait for anything', () => waiting().length === 0, 10_000).catch((error: unknown) => {
    throw new Error(`nobody would end what these wait for: ${waiting().join('; ')}`, { cause: error });
  });
  await application.quiet();
  expect(waiting()).toEqual([]);
  await application.end(end);
}

describe('processes that start, stop and are killed while they work on a backlog, again and again', () => {
  it('make the same rows and nothing late', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ lives, ...shape }) => {
        const records = lives.reduce((sum, life) => sum + life.records, 0);
        const application = new SharedApplication(shape, records);
        for (const life of lives) await live(application, life);
        expect(await application.rows()).toEqual(application.wanted());
      }),
      { numRuns: 25 },
    );
  });
});
