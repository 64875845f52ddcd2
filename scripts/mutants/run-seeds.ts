import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Seeds } from './mutant.ts';

/** The first seed of a range that fails in a tree, 'none', or what it says instead of both. */
export async function runSeeds(tree: string, { count, from, on }: Seeds, limitMs: number): Promise<number | string> {
  const script = join(tree, 'scripts/simulate.ts');
  const range = ['--on', on, '--from', String(from), '--seeds', String(count), '--workers', '1', '--first'];
  const command = ['--import', 'tsx', script, ...range];
  const child = spawn(process.execPath, command, { cwd: tree, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const timer = setTimeout(kill, limitMs);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (said += text));
  await new Promise<void>((resolve, reject) => child.on('error', reject).on('close', () => resolve()));
  clearTimeout(timer);
  process.off('exit', kill);
  const failed = /^failed seeds: (\d+)/m.exec(said)?.[1];
  if (failed !== undefined) return Number(failed);
  return new RegExp(String.raw`^${count} passed, 0 failed$`, 'm').test(said) ? 'none' : said.slice(-300);
}
