import { connect, memoryTransport, run, string, to, topic, watch } from 'millrace';
import { expect, it } from 'vitest';
import type { AppSnapshot } from '../runtime/app/snapshot.ts';
import { progressLines } from './watch.ts';

const source = topic('in', { value: string(), partitions: 1 });

async function watched(isTTY: boolean): Promise<string[]> {
  const transport = memoryTransport();
  const client = await connect({ transport });
  await client.publishAll(source, [
    { value: 'a', timestamp: 0 },
    { value: 'b', timestamp: 60_000 },
  ]);
  const app = run(source.pipe(to(topic('out', { value: string() }))), { applicationId: 'a', transport, until: 'end' });
  const written: string[] = [];
  const { seconds, snapshot } = await watch(app, {
    stream: { write: (text) => written.push(text), isTTY, columns: 60 },
    span: { from: 0, to: 120_000 },
  });
  expect(snapshot).toMatchObject({ state: 'stopped', recordsIn: 2 });
  expect(seconds).toBeGreaterThan(0);
  await client.close();
  return written;
}

it('writes whole lines where nothing can be redrawn', async () => {
  const written = await watched(false);
  expect(written.at(-1)).toMatch(/^.* records\/s {3}lag 0 .*stream time 1970-01-01 00:01:00\n$/);
  expect(written.join('')).not.toContain('\u001b');
});

it('redraws its lines on a terminal, and takes them away at the end', async () => {
  const written = await watched(true);
  expect(written.at(-1)).toMatch(/^.\[\dA.\[0J$/);
  expect(written.at(-1)?.startsWith('\u001b')).toBe(true);
  expect(written.join('')).toContain('█');
});

it('says what an application waits for, harmlessly, and never wraps', () => {
  const snapshot = {
    waitingFor: ['the \u001b[31m broker'],
    commits: 1,
    errors: 2,
    lag: undefined,
    lastCommitAgeMs: 1500,
    late: 0,
    openWindows: 3,
    streamTime: undefined,
  } as unknown as AppSnapshot;
  const lines = progressLines({ colour: false, live: true, width: 40 }, snapshot, 0, undefined);
  expect(lines).toEqual([
    '0 records/s   lag –   open windows 3',
    'late 0   commits 1 (1.5 s ago)   failed ',
    'waiting for the \\x1b[31m broker',
    'stream time –',
  ]);
});

it('refuses options that are wrong', async () => {
  await expect(watch({} as never, { evry: '1s' } as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await expect(watch({} as never, { span: { from: 0, to: Number.NaN } })).rejects.toMatchObject({ code: 'ERR_OPTION' });
});
