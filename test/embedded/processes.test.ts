import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { failure, join as joinGroup, readAll, send, until, values, valuesOf } from '../contract/support.ts';
import { folder, startChild } from './children.ts';

describe('several processes on one folder', () => {
  it('read what the others publish, soon after it was published', async () => {
    const path = join(await folder('follow'), 'log');
    const follower = startChild('follow', [path]);
    await follower.line('ready', 60_000);
    const transport = await embeddedTransport({ path })();
    const delays: number[] = [];
    for (let i = 0; i < 40; i++) {
      const value = `v${i}`;
      const sent = Date.now();
      await send(transport, 'events', 0, values(value));
      delays.push(Number(await follower.line(`got ${value} `)) - sent);
    }
    await transport.close();
    delays.sort((a, b) => a - b);
    // A reader that only looked every now and then would be far beyond this.
    expect(delays[delays.length >> 1], `delays in ms: ${delays.join(' ')}`).toBeLessThanOrEqual(50);
  });

  it('publish at the same time without losing or mixing anything', async () => {
    const path = join(await folder('publish'), 'log');
    const children = ['a', 'b'].map((name) => startChild('publish', [path, name]));
    for (const child of children) {
      await until(
        'fifty acknowledgements',
        () => child.lines.filter((line) => line.startsWith('ack')).length > 50,
        60_000,
      );
    }
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exit()));
    const transport = await embeddedTransport({ path })();
    const rows = await Promise.all([0, 1].map((partition) => readAll(transport, 'events', partition)));
    await transport.close();
    for (const child of children) {
      for (const line of child.lines.filter((text) => text.startsWith('ack'))) {
        const [, partition, offset, , first] = line.split(' ');
        expect(rows[Number(partition)]![Number(offset)]?.value).toBe(first);
      }
    }
  });

  it('leave an idle process idle', async () => {
    const path = join(await folder('idle'), 'log');
    const follower = startChild('follow', [path]);
    await follower.line('ready', 60_000);
    const start = performance.now();
    await until('three seconds of idleness', () => performance.now() - start > 3000);
    follower.kill('SIGUSR2');
    const cpuMs = Number(await follower.line('cpu '));
    // One percent of a core, and the start that the measurement includes.
    expect(cpuMs, 'milliseconds of CPU in three seconds').toBeLessThan(30 + 30);
  });
});

describe('one application on a folder', () => {
  it('is refused to a second process, which is told the pid', async () => {
    const path = join(await folder('owner'), 'log');
    const owner = startChild('run', [path, 'idle']);
    await owner.line('ready', 60_000);
    const transport = await embeddedTransport({ path })();
    const error = await failure('ERR_APPLICATION_RUNNING', joinGroup(transport, 'app', 'out', 1, { exclusive: true }));
    expect(error.message).toContain(`process ${owner.pid}`);
    expect(error.message).toMatch(/since \d{4}-\d\d-\d\dT/);
    const busy = await failure(
      'ERR_GROUP_ACTIVE',
      transport.setCommitted('app', [{ topic: 'out', partition: 0, offset: 0 }]),
    );
    expect(busy.message).toContain(String(owner.pid));
    // Publishing, reading and inspecting are free.
    await owner.line('commit 1');
    expect(valuesOf(await readAll(transport, 'out'))).toEqual(['1']);
    expect(await transport.committed('app', [{ topic: 'out', partition: 0 }])).toMatchObject([{ offset: 1 }]);
    await send(transport, 'out', 0, values('from outside'));
    await transport.close();
  });

  it('goes to the next process when the owner was killed, with all that it had committed', async () => {
    const path = join(await folder('stale'), 'log');
    const owner = startChild('run', [path]);
    await owner.line('commit 20', 60_000);
    owner.kill('SIGKILL');
    await owner.exit();
    const done = owner.lines.filter((line) => line.startsWith('commit ')).length;
    const transport = await embeddedTransport({ path })();
    const next = await joinGroup(transport, 'app', 'out', 1, { exclusive: true });
    await until('the task', () => next.tasks.size === 1);
    const committed = (await transport.committed('app', [{ topic: 'out', partition: 0 }]))[0]!.offset;
    const store = next.session.stores.open({ applicationId: 'app', store: 'count', partition: 0 });
    expect(committed).toBeGreaterThanOrEqual(done);
    // Outputs, state and offset are of the same commit.
    expect(new TextDecoder().decode(store.get(new TextEncoder().encode('n')))).toBe(String(committed));
    expect(valuesOf(await readAll(transport, 'out'))).toEqual(
      Array.from({ length: committed }, (_, i) => String(i + 1)),
    );
    await next.session.leave();
    await transport.close();
  });

  it('goes to one of two processes that start at the same moment', async () => {
    const path = join(await folder('race'), 'log');
    const starters = [1, 2, 3].map(() => startChild('run', [path, 'idle']));
    const outcome = await Promise.all(
      starters.map((child) =>
        until(
          'a winner or a refusal',
          () => {
            if (child.lines.some((line) => line.startsWith('ready'))) return 'runs';
            return child.ended() !== undefined && child.errors().includes('ERR_APPLICATION_RUNNING')
              ? 'refused'
              : undefined;
          },
          60_000,
        ),
      ),
    );
    expect(outcome.sort()).toEqual(['refused', 'refused', 'runs']);
  });

  it('is not given back to an owner that was stopped and is woken after it was replaced', async () => {
    const path = join(await folder('stopped'), 'log');
    const owner = startChild('run', [path, 'idle']);
    await owner.line('commit 1', 60_000);
    owner.kill('SIGSTOP');
    // A stopped process is still there: it is replaced only on purpose.
    const polite = await embeddedTransport({ path })();
    await failure('ERR_APPLICATION_RUNNING', joinGroup(polite, 'app', 'out', 1, { exclusive: true }));
    await polite.close();
    const transport = await embeddedTransport({ path, takeOver: true })();
    const next = await joinGroup(transport, 'app', 'out', 1, { exclusive: true });
    await until('the task', () => next.tasks.size === 1);
    owner.kill('SIGCONT');
    owner.kill('SIGUSR2');
    expect(await owner.line('refused ')).toBe('ERR_STALE_GENERATION');
    expect(valuesOf(await readAll(transport, 'out'))).toEqual(['1']);
    await next.session.commit({
      generation: next.session.generation,
      offsets: [{ topic: 'out', partition: 0, offset: 2 }],
      state: [],
    });
    await next.session.leave();
    await transport.close();
  });
});
