import { describe, expect, it } from 'vitest';
import type { LogOverview } from '../../src/dashboard/live-data.ts';
import { type Running, told, useCli } from './processes.ts';

const cli = useCli();

async function pageOf(running: Running): Promise<string> {
  await told(running, 'dashboard    http');
  return /dashboard {4}(http\S+)/.exec(running.said.err)?.[1] ?? '';
}

describe('the page that commands serve', () => {
  it('shows topics and groups of a log, until the command is stopped', async () => {
    await cli.inProcess('topics create numbers -p 3');
    await cli.inProcess('produce numbers -K :', 'a:1\nb:2\n');
    await cli.inProcess('consume numbers -g readers --from-beginning -c 1');
    const running = cli.start(['dashboard']);
    const url = await pageOf(running);
    const log = (await (await fetch(`${url}api/log`)).json()) as LogOverview;
    expect(log.topics).toEqual([{ name: 'numbers', partitions: 3, records: 2 }]);
    expect(log.groups.map(({ name }) => name)).toEqual(['readers']);
    const guarded = cli.start(['dashboard'], { MILLRACE_DASHBOARD_TOKEN: 'a-token-of-sixteen-or-more' });
    expect((await fetch(`${await pageOf(guarded)}api/log`)).status).toBe(401);
    guarded.child.kill('SIGTERM');
    expect(await guarded.ended).toMatchObject({ code: 0 });
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0, out: '' });
  });
});
