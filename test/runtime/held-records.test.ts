import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectOptions, connect, memoryTransport, run, to } from 'millrace';
import { asyncScheduler, debounceTime, delay, mergeMap, observeOn, take } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { out, source } from './support.ts';

const operators = {
  'mergeMap with a promise': mergeMap(async <T>(row: T) => row),
  delay: delay(1),
  debounceTime: debounceTime(1),
  observeOn: observeOn(asyncScheduler),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-held-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const logs: Record<string, (name: string) => ConnectOptions> = {
  memory: () => ({ transport: memoryTransport() }),
  'the embedded log': (name) => ({ path: join(folder, name) }),
};

describe.each(Object.entries(logs))('an operator that emits later, on %s', (_log, locate) => {
  it.each(
    Object.entries(operators).flatMap(([name, operator]) => [
      { name, operator, mode: 'bounded' },
      { name, operator, mode: 'unbounded' },
    ]),
  )('$name, $mode: fails before anything is committed', async ({ mode, name, operator }) => {
    const where = locate(`${name} ${mode}`.replaceAll(' ', '-'));
    const client = await connect(where);
    await client.topics.create(source, { partitions: 2 });
    await client.publishAll(
      source,
      ['a', 'b', 'c'].map((key, value) => ({ key, value })),
    );
    const until = mode === 'bounded' ? ({ until: 'end' } as const) : {};
    const { done } = run(source.pipe(operator as never, to(out)), { applicationId: 'app', ...where, ...until });
    await expect(done).rejects.toMatchObject({ code: 'ERR_OUTSIDE_TURN', message: expect.stringMatching(/mapAsync/) });
    expect([...(await client.committed('app', source)).values()]).not.toContainEqual(expect.any(Number));
    expect([...(await client.offsets(out, 'latest')).values()].every((offset) => offset === 0)).toBe(true);
    await client.close();
  });

  it('take() ends the run with an error, and commits nothing that was not read', async () => {
    const where = locate('take');
    const client = await connect(where);
    await client.topics.create(source, { partitions: 1 });
    await client.publishAll(
      source,
      [1, 2, 3].map((value) => ({ key: 'a', value })),
    );
    const { done } = run(source.pipe(take(1), to(out)), { applicationId: 'app', ...where, until: 'end' });
    await expect(done).rejects.toMatchObject({ code: 'ERR_STREAM_ENDED' });
    expect((await client.committed('app', source)).get(0)).toBeUndefined();
    await client.close();
  });
});
