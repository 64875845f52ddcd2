import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { RunWatch, type Used, whyHung } from '../../scripts/simulate/run-watch.ts';

const begun: Used = { cpuMs: 5000, idleMs: 700 };
const limit: Used = { cpuMs: 100, idleMs: 50 };

describe('a run', () => {
  it.each([
    ['uses CPU time without end', { cpuMs: 5101, idleMs: 700 }, /does not end within 100 ms of CPU time/],
    ['waits for nothing', { cpuMs: 5000, idleMs: 751 }, /stands still: it was idle for 50 ms/],
    ['gets little CPU time, however long that takes', { cpuMs: 5100, idleMs: 750 }, undefined],
  ])('that %s', (_, now, why) => {
    const found = whyHung(begun, now, limit);
    if (why === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(why);
  });

  it.each([
    ['loops forever', 'for (;;);', /of CPU time/],
    ['waits forever', 'setInterval(() => undefined, 1 << 30)', /stands still/],
  ])('in a thread that %s is noticed', async (_, code, why) => {
    const worker = new Worker(code, { eval: true });
    const used = (): Used => {
      const { system, user } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, idleMs: worker.performance.eventLoopUtilization().idle };
    };
    // This thread uses CPU time, too.
    const most: Used = why.test('stands still') ? { cpuMs: Number.POSITIVE_INFINITY, idleMs: 100 } : limit;
    const found = await new Promise<string>((resolve) => new RunWatch(used, most, resolve, 10));
    await worker.terminate();
    expect(found).toMatch(why);
  });
});
