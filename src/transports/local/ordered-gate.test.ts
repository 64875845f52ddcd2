import { describe, expect, it } from 'vitest';
import { OrderedGate } from './ordered-gate.ts';

function later<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((...ends) => {
    [resolve, reject] = ends;
  });
  return { promise, resolve, reject };
}

describe('work that waits for its input', () => {
  it('is handed over in the order of the calls, whichever input is there first', async () => {
    const gate = new OrderedGate();
    const done: string[] = [];
    const [slow, quick] = [later<string>(), later<string>()];
    const note = (ready: readonly string[]): void => void done.push(...ready);
    const runs = [gate.run([slow.promise], note), gate.run([quick.promise], note), gate.run(['ready'], note)];
    quick.resolve('quick');
    await quick.promise;
    await new Promise((resolve) => void setImmediate(resolve));
    expect(done).toEqual([]);
    slow.resolve('slow');
    await Promise.all(runs.map(async (run) => run));
    expect(done).toEqual(['slow', 'quick', 'ready']);
    // Nobody waits any more: what is ready is handed over at once.
    expect(gate.run(['at once'], ([text]) => text)).toBe('at once');
  });

  it('is not called without its input, and does not keep what comes behind it', async () => {
    const gate = new OrderedGate();
    const done: string[] = [];
    const lost = later<string>();
    const runs = [
      gate.run([lost.promise], () => void done.push('lost')),
      gate.run(['next'], ([text]) => void done.push(text as string)),
    ];
    lost.reject(new Error('the codec failed'));
    expect(await Promise.allSettled(runs.map(async (run) => run))).toMatchObject([
      { status: 'rejected' },
      { status: 'fulfilled' },
    ]);
    expect(done).toEqual(['next']);
  });
});
