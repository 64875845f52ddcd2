import { describe, expect, inject, it } from 'vitest';
import { until } from '../contract/support.ts';
import { randomNumbers } from '../random.ts';
import { KafkaApplication, type KafkaInstance, type Spread } from './shared-application.ts';

const hasTasks = ({ app }: KafkaInstance): boolean => app.snapshot().tasks.length > 0;
const hasRead = ({ app }: KafkaInstance): boolean => app.snapshot().recordsIn > 0;
const hasNoLag = ({ app }: KafkaInstance): boolean => app.snapshot().lag === 0;
const hasReadAll = (instance: KafkaInstance): boolean => hasRead(instance) && hasNoLag(instance);

async function using<T>(spread: Spread, work: (application: KafkaApplication) => Promise<T>): Promise<T> {
  const application = await KafkaApplication.open(spread, inject('brokers'));
  try {
    return await work(application);
  } finally {
    await application.close();
  }
}

describe('instances that were all stopped while a backlog grew', () => {
  it.each(['one', 'two'] as const)(
    'wait for the one that restores for long: shuffles of %s',
    {
      timeout: 90_000,
    },
    async (name) => {
      const spread: Spread = {
        name,
        sources: 4,
        shuffles: 2,
        guarantee: 'exactly-once',
        commitInterval: '50ms',
        batch: 50,
      };
      await using(spread, async (application) => {
        await application.publish(600);
        for (let started = 0; started < 2; started += 1) application.start();
        const { instances } = application;
        // One of them may have read all before the other one has tasks.
        const haveReadAll = (): boolean =>
          instances.some(hasRead) && instances.every(hasTasks) && instances.every(hasNoLag);
        await until('both have read all', haveReadAll, 60_000);
        await application.end('stop');
        await application.publish(600);
        const slow = application.start(true);
        await until('the first one is given tasks', () => slow.assigned, 60_000);
        const quick = application.start();
        await until('the other one has read all that is its own', () => hasReadAll(quick), 60_000);
        expect(hasTasks(slow)).toBe(false);
        slow.restored();
        await until('both have tasks', () => hasTasks(slow), 60_000);
        await application.end('stop');
        expect(await application.finish()).toEqual(application.wanted());
      });
    },
  );
});

describe('instances that each end with their input, and keep open windows', () => {
  it.each(['at-least-once', 'exactly-once'] as const)(
    'end, also when records come while they run, and the next ones continue: %s',
    { timeout: 120_000 },
    async (guarantee) => {
      const spread: Spread = { name: 'two', sources: 4, shuffles: 4, guarantee, commitInterval: '50ms', batch: 50 };
      await using(spread, async (application) => {
        for (let round = 0; round < 3; round += 1) {
          await application.publish(300);
          for (let started = 0; started < 2; started += 1) application.start(false, 'end', 'keep');
          const running = application.instances.map(({ app }) => app.done);
          await application.publish(100);
          await Promise.all(running);
          await application.end('stop');
        }
        expect(await application.finish()).toEqual(application.wanted());
      });
    },
  );
});

describe('event time across a shuffle', () => {
  it('makes the same rows and nothing late, however the work is spread', { timeout: 180_000 }, async () => {
    const random = randomNumbers();
    const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
    for (let round = 0; round < 3; round += 1) {
      const spread: Spread = {
        name: pick('one', 'two', 'plain', 'asynchronous', 'seldom'),
        sources: pick(2, 3, 5),
        shuffles: pick(2, 3),
        guarantee: 'exactly-once',
        commitInterval: pick('0ms', '50ms', '400ms'),
        batch: pick(1, 40, 1000),
      };
      const steps: string[] = [];
      const told = (): string => `${JSON.stringify(spread)}: ${steps.join('; ')}`;
      await using(spread, async (application) => {
        const { instances } = application;
        for (let life = 0; life < 2; life += 1) {
          await application.publish(pick(200, 500, 900));
          const count = pick(1, 2, 3);
          for (let started = 0; started < count; started += 1) {
            const slow = started < count - 1 && pick(true, false);
            const instance = application.start(slow);
            const wait = pick('nothing', 'tasks', 'records');
            steps.push(`start${slow ? ' slowly' : ''}, wait for ${wait}`);
            if (wait === 'tasks') await until(told(), () => (slow ? instance.assigned : hasTasks(instance)), 60_000);
            // Another one may have done everything before.
            if (wait === 'records' && !slow) await until(told(), () => instances.some(hasRead), 60_000);
          }
          for (const { restored } of instances) restored();
          if (pick(true, false)) {
            const how = pick('stop', 'kill');
            steps.push(`${how} one`);
            await application.end(how, true);
          }
          const how = pick('stop', 'kill');
          steps.push(`${how} all`);
          await application.end(how);
        }
        expect(await application.finish(), told()).toEqual(application.wanted());
      });
    }
  });
});
