import { expect, test } from 'vitest';
import { json, MillraceError, memoryTransport, type OpenTransport, run, to, topic } from '../../index.ts';
import { VirtualClock } from '../../testing/index.ts';

const numbers = topic('numbers', { value: json<number>(), partitions: 1 });
const pipeline = numbers.pipe(to(topic('copy', { value: json<number>() })));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A log that is away for a number of attempts. */
function away(attempts: number): { readonly open: OpenTransport; tries: number } {
  const log = {
    tries: 0,
    open: async () => {
      log.tries += 1;
      if (log.tries > attempts) return memoryTransport()();
      throw new MillraceError('retriable-exhausted', 'ERR_TIMEOUT', 'no broker answered');
    },
  };
  return log;
}

test('an application waits for a log that is away, and says so', async () => {
  const log = away(2);
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (_: object, text: string) => void warnings.push(text), error() {} };
  const app = run(pipeline, { applicationId: 'app', transport: log.open, clock, logger });
  for (const attempt of [1, 2]) {
    await until(() => app.snapshot().waitingFor[0]?.includes(`attempt ${attempt}`) === true);
    expect(app.snapshot().waitingFor[0]).toContain('no broker answered');
    clock.advance(1000);
  }
  await until(() => app.snapshot().state === 'running');
  expect(warnings).toEqual(['the log cannot be opened', 'the log cannot be opened']);
  await app.stop();
});

test('it can be stopped while it waits', async () => {
  const log = away(Number.POSITIVE_INFINITY);
  const clock = new VirtualClock();
  const app = run(pipeline, { applicationId: 'app', transport: log.open, clock });
  await until(() => app.snapshot().waitingFor[0]?.includes('attempt 1') === true);
  const stopped = app.stop();
  clock.advance(1000);
  await stopped;
  expect([log.tries, app.snapshot().state]).toEqual([1, 'stopped']);
});

test('what waiting cannot help ends it at once', async () => {
  const open = async () => {
    throw new MillraceError('config', 'ERR_SASL', 'the password is wrong');
  };
  await expect(run(pipeline, { applicationId: 'app', transport: open }).done).rejects.toMatchObject({
    code: 'ERR_SASL',
  });
});

test('it says that it waits for committed offsets, and can be stopped meanwhile', async () => {
  // As when a transaction that changes them is not over.
  const committed = (): Promise<never> => new Promise(() => undefined);
  const open: OpenTransport = async () => Object.assign(await memoryTransport()(), { committed });
  const app = run(pipeline, { applicationId: 'app', transport: open });
  await until(() => app.snapshot().waitingFor.includes('the committed offsets of new tasks'));
  await app.stop();
  expect(app.snapshot().state).toBe('stopped');
});
