import { deadLetter, flatMapValues, mapAsync, mapValues, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { dead, input, keyed, output, shown, texts, thrown } from './operators.fixtures.ts';

/** Asynchronous calls that a test answers by hand. */
class Calls {
  readonly started: string[] = [];
  readonly aborted: string[] = [];
  readonly #open = new Map<string, { resolve(value: string): void; reject(error: unknown): void }[]>();

  readonly call = (value: unknown, signal?: AbortSignal): Promise<string> => {
    const name = String(value);
    this.started.push(name);
    signal?.addEventListener('abort', () => this.aborted.push(name));
    return new Promise((resolve, reject) => {
      this.#open.set(name, [...(this.#open.get(name) ?? []), { resolve, reject }]);
    });
  };

  answer(name: unknown): void {
    this.#take(name).resolve(`${String(name)}!`);
  }

  fail(name: unknown, error: unknown = new Error(`${String(name)} failed`)): void {
    this.#take(name).reject(error);
  }

  #take(name: unknown): { resolve(value: string): void; reject(error: unknown): void } {
    const call = this.#open.get(String(name))?.shift();
    if (call === undefined) throw new Error(`no call of ${String(name)} is open`);
    return call;
  }
}

/** Lets promises that are settled already run their continuations. */
async function settled(): Promise<void> {
  for (let tick = 0; tick < 20; tick += 1) await Promise.resolve();
}

/** Lets what was answered take effect, without waiting for what was not. */
async function step(driver: TestDriver): Promise<void> {
  await settled();
  driver.advanceTime('0ms');
}

/** Runs work and returns what nobody handled; Node tells after the microtasks of a macrotask. */
async function unhandledIn(work: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  return unhandled;
}

const at = (key: string | null, value: number, timestamp = value) => ({ key, value, timestamp });

describe('order and concurrency', () => {
  it('calls and emits records of a key one after the other, other keys freely', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
    );
    driver.pipeAll(keyed, [at('a', 1), at('b', 2), at('a', 3), at('a', 4)]);
    expect(calls.started).toEqual(['1', '2']);
    calls.answer(2);
    await step(driver);
    calls.answer(1);
    await settled();
    expect(calls.started).toEqual(['1', '2', '3']);
    calls.answer(3);
    await settled();
    calls.answer(4);
    await driver.settled();
    expect(shown(driver.read(output))).toEqual(['b="2!"@2', 'a="1!"@1', 'a="3!"@3', 'a="4!"@4']);
  });

  it('treats records without a key as independent', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      input.pipe(
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
    );
    driver.pipeAll(input, [at(null, 1), at(null, 2)]);
    expect(calls.started).toEqual(['1', '2']);
    calls.answer(2);
    await settled();
    calls.answer(1);
    await driver.settled();
    expect(shown(driver.read(output))).toEqual(['null="2!"@2', 'null="1!"@1']);
  });

  it('has no more calls under way than it may, and takes no record while full', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n), { concurrency: 2 }),
        to(output),
      ),
    );
    driver.pipeAll(
      keyed,
      [1, 2, 3, 4].map((n) => at(`k${n}`, n)),
    );
    expect(calls.started).toEqual(['1', '2']);
    expect(driver.tasks()[0]).toMatchObject({
      recordsIn: 2,
      pendingAsync: 2,
      lag: 2,
      waitingFor: '2 asynchronous calls of mapAsync',
    });
    calls.answer(1);
    await step(driver);
    expect(calls.started).toEqual(['1', '2', '3']);
    for (const n of [2, 3]) calls.answer(n);
    await step(driver);
    calls.answer(4);
    await driver.settled();
    expect(driver.read(output)).toHaveLength(4);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 4, pendingAsync: 0, lag: 0, waitingFor: undefined });
  });

  it('calls records of other keys while those of a busy key wait for each other', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n), { concurrency: 2 }),
        to(output),
      ),
    );
    const busy = Array.from({ length: 20 }, (_, n) => at('busy', n));
    driver.pipeAll(keyed, [...busy, at('other', 20), at('more', 21)]);
    expect(calls.started).toEqual(['0', '20']);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 21, pendingAsync: 21, lag: 1 });
  });

  it('holds no more records of a busy key than 16 for each call', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n), { concurrency: 2 }),
        to(output),
      ),
    );
    const busy = Array.from({ length: 40 }, (_, n) => at('busy', n));
    driver.pipeAll(keyed, [...busy, at('other', 40)]);
    expect(calls.started).toEqual(['0']);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 32, pendingAsync: 32, lag: 9 });
  });

  it('keeps to that also when one record becomes many', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      input.pipe(
        flatMapValues(() => [1, 2, 3, 4, 5]),
        mapAsync((n) => calls.call(n), { concurrency: 2 }),
        to(output),
      ),
    );
    driver.pipe(input, at(null, 0));
    expect(calls.started).toEqual(['1', '2']);
    calls.answer(1);
    await settled();
    expect(calls.started).toEqual(['1', '2', '3']);
    for (const n of [3, 2]) calls.answer(n);
    await settled();
    for (const n of [4, 5]) calls.answer(n);
    await driver.settled();
    expect(driver.read(output).map(({ value }) => value)).toEqual(['1!', '3!', '2!', '4!', '5!']);
  });

  it('runs through several of them, in one stage', async () => {
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync(async (n) => n + 1),
        mapAsync((n) => Promise.resolve(n * 10), { concurrency: 1 }),
        mapAsync((n) => n),
        to(output),
      ),
    );
    driver.pipeAll(keyed, [at('a', 1), at('a', 2), at('b', 3)]);
    await driver.settled();
    expect(new Set(shown(driver.read(output)))).toEqual(new Set(['a=20@1', 'a=30@2', 'b=40@3']));
  });

  it('keeps the order of keys that are bytes, numbers and objects', async () => {
    for (const key of ['a', 7, 7n, true, { id: 1 }, { id: 1n }, new Uint8Array([1, 2])]) {
      const { json, msgpack, topic } = await import('millrace');
      const source = topic('objects', { key: msgpack<unknown>(), value: json<number>() });
      const calls = new Calls();
      const driver = new TestDriver(source.pipe(mapAsync((n) => calls.call(n))));
      driver.pipeAll(
        source,
        [1, 2].map((value) => ({ key: structuredClone(key), value })),
      );
      expect(calls.started).toEqual(['1']);
      calls.answer(1);
      await settled();
      calls.answer(2);
      await driver.settled();
    }
  });
});

describe('commits', () => {
  it('wait for calls: a crash calls again what was not finished, and nothing else', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
    );
    driver.pipe(keyed, at('a', 1));
    calls.answer(1);
    await driver.settled();
    driver.pipeAll(keyed, [at('b', 2), at('c', 3)]);
    calls.answer(2);
    await step(driver);
    expect(
      driver.read(output).map(({ value }) => value),
      'not committed while 3 is under way',
    ).toEqual(['1!']);
    calls.started.length = 0;
    driver.restart();
    expect(calls.started).toEqual(['2', '3']);
    calls.answer(3);
    await settled();
    calls.answer(2);
    calls.answer(3);
    await driver.settled();
    expect(new Set(driver.read(output).map(({ value }) => value))).toEqual(new Set(['2!', '3!']));
  });

  it('abort the signal of what is under way when the task is taken down, and take no late result', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n, { signal }) => calls.call(n, signal)),
        to(output),
      ),
    );
    driver.pipe(keyed, at('a', 1));
    driver.restart();
    expect(calls.aborted).toEqual(['1']);
    expect(calls.started).toEqual(['1', '1']);
    calls.answer(1);
    await step(driver);
    expect(driver.read(output)).toEqual([]);
    calls.answer(1);
    await driver.settled();
    expect(driver.read(output)).toHaveLength(1);
  });
});

describe('failures', () => {
  it('go to the policy with the record that they belong to', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapValues((n) => n * 10),
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
      { onRecordError: deadLetter('dead') },
    );
    driver.pipeAll(keyed, [at('a', 1), at('b', 2), at('c', 3)]);
    calls.answer(30);
    await settled();
    calls.fail(20);
    calls.answer(10);
    await driver.settled();
    const letters = driver.read(dead);
    expect(shown(letters), 'the record as it was read').toEqual(['b=2@0']);
    expect(texts(letters[0]?.headers ?? [])).toMatchObject({
      'millrace.error.code': 'ERR_USER_CODE',
      'millrace.error.message': expect.stringContaining('20 failed'),
      'millrace.step': 'mapAsync',
      'millrace.origin.offset': '1',
    });
    expect(driver.read(output).map(({ value }) => value)).toEqual(['30!', '10!']);
  });

  it('of what comes after it go to the policy with that record too', async () => {
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync(async (n) => n),
        mapValues((n) => {
          if (n === 2) throw new Error('after');
          return n;
        }),
        to(output),
      ),
      { onRecordError: deadLetter('dead') },
    );
    driver.pipeAll(keyed, [at('a', 1), at('b', 2), at('c', 3)]);
    await driver.settled();
    expect(shown(driver.read(dead))).toEqual(['b=2@0']);
    expect(driver.read(output)).toHaveLength(2);
  });

  it('let the next record of the key go on', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipeAll(keyed, [at('a', 1), at('a', 2)]);
    calls.fail(1);
    await settled();
    calls.answer(2);
    await driver.settled();
    expect(driver.read(output).map(({ value }) => value)).toEqual(['2!']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });

  it('stop the task by default, with nothing committed of that batch', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n)),
        to(output),
      ),
    );
    driver.pipeAll(keyed, [at('a', 1), at('b', 2)]);
    calls.answer(1);
    calls.fail(2);
    await expect(driver.settled()).rejects.toMatchObject({
      code: 'ERR_USER_CODE',
      topic: 'keyed',
      offset: 1,
      step: 'mapAsync',
    });
    expect(driver.read(output)).toEqual([]);
  });

  it('also of functions that throw at once, with a time-out or without', async () => {
    for (const options of [{}, { timeout: '1s' as const, retries: 2, backoff: '0ms' as const }]) {
      const boom = (): string => {
        throw new Error('at once');
      };
      const driver = new TestDriver(keyed.pipe(mapAsync(boom, options), to(output)), { onRecordError: 'skip' });
      const unhandled = await unhandledIn(async () => {
        driver.pipe(keyed, at('a', 1));
        for (let attempt = 0; attempt < 4; attempt += 1) await step(driver);
        expect(driver.tasks()[0]).toMatchObject({ skipped: 1, pendingAsync: 0 });
        driver.restart();
      });
      expect(unhandled).toEqual([]);
    }
  });

  it('of a task that has ended are nobody’s', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n), { timeout: '1s', retries: 1 }),
        to(output),
      ),
    );
    const unhandled = await unhandledIn(async () => {
      driver.pipe(keyed, at('a', 1));
      driver.restart();
      calls.fail(1);
      await settled();
      calls.answer(1);
      await driver.settled();
    });
    expect(unhandled).toEqual([]);
    expect(driver.read(output)).toHaveLength(1);
  });
});

describe('time-outs and retries on the virtual clock', () => {
  it('tries again after a wait that doubles, then gives up', async () => {
    const calls = new Calls();
    const attempts: number[] = [];
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync(
          (n, { attempt }) => {
            attempts.push(attempt);
            return calls.call(n);
          },
          { retries: 2, backoff: '100ms' },
        ),
        to(output),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipe(keyed, at('a', 1));
    calls.fail(1);
    await settled();
    driver.advanceTime('99ms');
    await settled();
    expect(attempts).toEqual([1]);
    driver.advanceTime('1ms');
    await settled();
    expect(attempts).toEqual([1, 2]);
    calls.fail(1);
    await settled();
    driver.advanceTime('199ms');
    await settled();
    expect(attempts).toEqual([1, 2]);
    driver.advanceTime('1ms');
    await settled();
    expect(attempts).toEqual([1, 2, 3]);
    calls.fail(1);
    await driver.settled();
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });

  it('forgets the failure when a later try succeeds', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n) => calls.call(n), { retries: 1 }),
        to(output),
      ),
    );
    driver.pipe(keyed, at('a', 1));
    calls.fail(1);
    await settled();
    driver.advanceTime('100ms');
    await settled();
    calls.answer(1);
    await driver.settled();
    expect(driver.read(output)).toHaveLength(1);
  });

  it('gives up a try that takes too long, aborts its signal, and ignores its result', async () => {
    const calls = new Calls();
    const reasons: unknown[] = [];
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync(
          (n, { signal }) => {
            signal.addEventListener('abort', () => reasons.push(signal.reason));
            return calls.call(n, signal);
          },
          { timeout: '1s' },
        ),
        to(output),
      ),
    );
    driver.pipe(keyed, at('a', 1));
    driver.advanceTime('999ms');
    await settled();
    expect(calls.aborted).toEqual([]);
    driver.advanceTime('1ms');
    expect(calls.aborted).toEqual(['1']);
    expect(reasons).toMatchObject([{ code: 'ERR_ASYNC_TIMEOUT' }]);
    await settled();
    calls.answer(1);
    const error = await driver.settled().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ERR_ASYNC_TIMEOUT', errorClass: 'record', topic: 'keyed', offset: 0 });
    expect((error as Error).message).toMatch(/took more than 1000 ms/);
  });

  it('does not time out what has answered, nor waits in a retry after the end of the task', async () => {
    const calls = new Calls();
    const driver = new TestDriver(
      keyed.pipe(
        mapAsync((n, { signal }) => calls.call(n, signal), { timeout: '1s', retries: 5 }),
        to(output),
      ),
    );
    driver.pipe(keyed, at('a', 1));
    calls.answer(1);
    await driver.settled();
    driver.advanceTime('10s');
    expect(calls.aborted).toEqual([]);
    driver.pipe(keyed, at('a', 2));
    calls.fail(2);
    await settled();
    driver.restart();
    expect(calls.started).toEqual(['1', '2', '2']);
    driver.advanceTime('100ms');
    await settled();
    expect(calls.started, 'the old task does not try again').toEqual(['1', '2', '2']);
    calls.answer(2);
    await driver.settled();
  });
});

describe('options', () => {
  it.each([
    [{ concurrency: 0 }, 'ERR_OPTION'],
    [{ concurrency: 1.5 }, 'ERR_OPTION'],
    [{ concurrency: Number.NaN }, 'ERR_OPTION'],
    [{ retries: -1 }, 'ERR_OPTION'],
    [{ timeout: '1' as never }, 'ERR_DURATION'],
    [{ backoff: 'soon' as never }, 'ERR_DURATION'],
  ])('refuse %o', (options, code) => {
    expect(thrown(() => mapAsync((n: number) => n, options))).toMatchObject({ code });
  });
});
