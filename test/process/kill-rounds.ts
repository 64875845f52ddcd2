import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import { type ConnectOptions, connect, type RunOptions, type StreamRecord } from '../../src/index.ts';
import { faults, isOver, type Row, type Topics } from './counting.ts';

const script = fileURLToPath(new URL('./counting.child.ts', import.meta.url));
const ROUNDS = 3;
const RECORDS = 120;
const KEYS = 6;

/**
 * Kills the process that runs the step, each time while it is at work on records and on timers, and looks at the end
 * whether everything was said once.
 */
export async function killRounds(topics: Topics, log: ConnectOptions, options: Partial<RunOptions>): Promise<void> {
  await using client = await connect(log);
  await client.topics.create(topics.from);
  await client.topics.create(topics.into);
  const all = { from: 'earliest', until: 'end' } as const;
  const inputs = (): Promise<StreamRecord<string, number>[]> =>
    lastValueFrom(client.records(topics.from, all).pipe(toArray()));
  const rows = (): Promise<StreamRecord<string, Row>[]> =>
    lastValueFrom(client.records(topics.into, all).pipe(toArray()));
  const start = (): { kill(): Promise<unknown> } => {
    const settings = { ...log, ...options, from: topics.from.name, into: topics.into.name };
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(settings)], { stdio: 'inherit' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    return {
      kill: () => {
        child.kill('SIGKILL');
        return ended;
      },
    };
  };
  let time = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = start();
    const before = (await rows()).length;
    for (let sent = 0; sent < RECORDS; sent += 20) {
      const batch = Array.from({ length: 20 }, (_, at) => ({
        key: `k${(sent + at) % KEYS}`,
        value: at,
        timestamp: time++,
      }));
      await client.publishAll(topics.from, batch);
    }
    // In the first round when it has begun, in the second when it has counted, in the third when it has heard of silence.
    await seen(async () => {
      const said = (await rows()).slice(before);
      if (round === 0) return said.length > 0;
      return said.some(({ value: { is } }) => is === (round === 1 ? 'closed' : 'silent'));
    });
    await child.kill();
  }
  const last = start();
  await seen(async () => isOver(await inputs(), await rows()));
  await last.kill();
  expect(faults(await inputs(), await rows())).toEqual([]);
}

/** Looks again and again, with a pause for those whose work is waited for. */
export async function seen(look: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !(await look()); ) {
    if (performance.now() > deadline) throw new Error('nothing more was said for a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
