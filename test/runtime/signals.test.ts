import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Running {
  /** Resolves when the child has said a line. */
  said(line: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
}

function start(...args: readonly string[]): Running {
  const script = fileURLToPath(new URL('./signals.child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', args[0] === 'uncaught' ? 'ignore' : 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return {
    async said(line) {
      while (!text.includes(line)) await once(child.stdout, 'data');
    },
    kill: (signal) => void child.kill(signal),
    ended: once(child, 'exit').then(([code]: (number | null)[]) => code ?? null),
  };
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s stops cleanly, and the process ends by itself with 0', async (signal) => {
  const child = start('quick');
  await child.said('ready');
  child.kill(signal);
  await child.said('stopped');
  expect(await child.ended).toBe(0);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a second %s ends the process at once, with %i', async (signal, code) => {
  const child = start('stuck', '600s');
  await child.said('ready');
  child.kill(signal);
  // Two signals of a kind that wait at the same moment are one: they are sent until the second has been seen.
  const again = setInterval(() => child.kill(signal), 50);
  expect(await child.ended).toBe(code);
  clearInterval(again);
});

test('a stop that exceeds its deadline says so, with the exit code of the signal', async () => {
  const child = start('stuck', '1s');
  await child.said('ready');
  child.kill('SIGTERM');
  await child.said('ERR_STOP_DEADLINE');
  expect(await child.ended).toBe(143);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a failed stop that nobody handles ends the process with the exit code of %s', async (signal, code) => {
  const child = start('uncaught', '1s');
  await child.said('ready');
  child.kill(signal);
  expect(await child.ended).toBe(code);
});
