import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';

/** What several processes do to one folder for a while. */
export interface Churn {
  readonly seconds: number;
  /** Processes that publish without a pause. */
  readonly writers?: number;
  /** Processes that count up in a store and write an output, one commit after another. */
  readonly counters?: number;
  /** Processes that do nothing but open the folder and close it. */
  readonly openers?: number;
  /** Which of them are killed with SIGKILL at random moments, and started again. */
  readonly kill?: readonly ('writer' | 'counter' | 'opener')[];
  /** The longest pause between two kills (300). */
  readonly killEveryMs?: number;
}

/** What was found in the end. Without `problems` nothing that was acknowledged is lost or there twice. */
export interface ChurnResult {
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly commits: number;
  readonly opens: number;
  readonly kills: number;
}

type Role = 'writer' | 'counter' | 'opener';

interface Actor {
  readonly role: Role;
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly lines: string[];
  readonly gone: Promise<void>;
  errors: string;
  /** Whether it was meant to end. */
  killed: boolean;
}

const TASK: Readonly<Record<Role, string>> = { writer: 'publish', counter: 'run', opener: 'opener' };
const root = fileURLToPath(new URL('../../', import.meta.url));

/** One file of plain JavaScript, because processes that start fast open, write and are killed more often. */
async function bundleChild(): Promise<string> {
  const outfile = join(root, 'node_modules/.cache', `millrace-child-${randomUUID()}.mjs`);
  const entry = join(root, 'test/embedded/child.ts');
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile });
  return outfile;
}

/** Runs it, kills everybody, and compares what was acknowledged with what is there. */
export async function churn(plan: Churn): Promise<ChurnResult> {
  const { seconds, writers = 0, counters = 0, openers = 0, kill = [], killEveryMs = 300 } = plan;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-churn-'));
  const path = join(folder, 'log');
  const script = await bundleChild();
  const all: Actor[] = [];
  const living = new Set<Actor>();
  const stop = new AbortController();
  let ready = 0;
  let kills = 0;
  const start = (role: Role): Actor => {
    const actor = launch(script, role, path, `${role}${all.length}`, () => ready++);
    all.push(actor);
    living.add(actor);
    void actor.gone.then(() => living.delete(actor));
    return actor;
  };
  try {
    for (let i = 0; i < writers; i++) start('writer');
    for (let i = 0; i < counters; i++) start('counter');
    for (let i = 0; i < openers; i++) start('opener');
    const starting = performance.now() + 60_000;
    while (ready < all.length && performance.now() < starting && all.every(({ errors }) => errors === ''))
      await sleep(10);
    const killing = (async () => {
      while (!stop.signal.aborted && kill.length > 0) {
        await sleep(Math.random() * killEveryMs);
        const victims = [...living].filter(({ role, lines }) => kill.includes(role) && lines.length > 0);
        const victim = victims[Math.floor(Math.random() * victims.length)];
        if (victim === undefined || stop.signal.aborted) continue;
        end(victim);
        kills++;
        await victim.gone;
        if (!stop.signal.aborted) start(victim.role);
      }
    })();
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until && all.every(({ errors }) => errors === '')) await sleep(50);
    stop.abort();
    await killing;
    for (const actor of living) end(actor);
    await Promise.all(all.map(({ gone }) => gone));
    return { ...(await verify(path, all)), kills };
  } finally {
    for (const actor of living) end(actor);
    await Promise.all(all.map(({ gone }) => gone));
    await rm(folder, { recursive: true, force: true });
    await rm(script, { force: true });
  }
}

function launch(script: string, role: Role, path: string, name: string, ready: () => void): Actor {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const args = [script, TASK[role], path, role === 'writer' ? name : 'busy'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const lines: string[] = [];
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const actor: Actor = { role, child, lines, gone: closed, errors: '', killed: false };
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('ready')) ready();
    else lines.push(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (actor.errors += text));
  child.on('exit', (code, signal) => {
    if (!actor.killed) actor.errors += `ended with ${code ?? signal}`;
  });
  return actor;
}

function end(actor: Actor): void {
  actor.killed = true;
  actor.child.kill('SIGKILL');
}

async function verify(path: string, all: readonly Actor[]): Promise<Omit<ChurnResult, 'kills'>> {
  const problems: string[] = [];
  for (const { role, errors, child } of all) {
    if (errors !== '') problems.push(`${role} ${child.pid} said: ${errors.slice(0, 1000)}`);
  }
  const linesOf = (role: Role): readonly string[][] =>
    all.filter((actor) => actor.role === role).map(({ lines }) => lines);
  const transport = await embeddedTransport({ path })();
  try {
    const topics = await transport.topics.list();
    const values = new Map<string, string[]>();
    for (const topic of topics) {
      for (const [partition, count] of await transport.offsets(topic, 'latest')) {
        values.set(`${topic}/${partition}`, await readAll(transport, topic, partition, count, problems));
      }
    }
    const acknowledged = checkAcknowledged(linesOf('writer'), values, problems);
    const commits = checkCommits(linesOf('counter'), values.get('out/0') ?? [], problems);
    const opens = linesOf('opener').reduce((sum, lines) => sum + lines.length, 0);
    return { problems, acknowledged, commits, opens };
  } finally {
    await transport.close();
  }
}

type Transport = Awaited<ReturnType<ReturnType<typeof embeddedTransport>>>;

async function readAll(
  transport: Transport,
  topic: string,
  partition: number,
  count: number,
  problems: string[],
): Promise<string[]> {
  const decoder = new TextDecoder();
  const values: string[] = [];
  const fetcher = transport.fetcher({ onReady: () => undefined });
  fetcher.assign(topic, partition, 0);
  while (values.length < count) {
    const batch = fetcher.poll(topic, partition);
    if (batch === undefined) {
      await sleep(1);
      continue;
    }
    if (batch.count === 0 || batch.baseOffset !== values.length) {
      problems.push(`gap in ${topic}/${partition} at ${values.length}`);
      break;
    }
    for (let i = 0; i < batch.count; i++) {
      const start = batch.valueStart[i]!;
      values.push(decoder.decode(batch.bytes.subarray(start, start + batch.valueLength[i]!)));
    }
  }
  await fetcher.close();
  return values;
}

/** Every record that a writer was told about is where it was told, and no place was told twice. */
function checkAcknowledged(
  writers: readonly (readonly string[])[],
  values: ReadonlyMap<string, readonly string[]>,
  problems: string[],
): number {
  const told = new Map<string, string>();
  let acknowledged = 0;
  for (const line of writers.flat()) {
    const [, partition, offset, count, first = ''] = line.split(' ');
    const stem = first.slice(0, first.length - `0-${count}`.length);
    for (let i = 0; i < Number(count); i++) {
      const place = `${partition}/${Number(offset) + i}`;
      const value = `${stem}${i}-${count}`;
      const found = values.get(`events/${partition}`)?.[Number(offset) + i];
      acknowledged++;
      if (told.has(place)) problems.push(`${place} acknowledged twice: ${told.get(place)} and ${value}`);
      if (found !== value) problems.push(`lost ${place}: acknowledged ${value}, there is ${found}`);
      told.set(place, value);
    }
  }
  return acknowledged;
}

/** Every commit builds on the one before, whoever made it; one that was not acknowledged may be there after a kill. */
function checkCommits(
  counters: readonly (readonly string[])[],
  outputs: readonly string[],
  problems: string[],
): number {
  let last = 0;
  let commits = 0;
  for (const lines of counters) {
    let slack = 1;
    for (const line of lines.filter((text) => text.startsWith('commit '))) {
      const n = Number(line.slice('commit '.length));
      if (n <= last || n > last + 1 + slack) problems.push(`commit ${last} was acknowledged, the next one was ${n}`);
      last = n;
      slack = 0;
      commits++;
    }
  }
  outputs.forEach((value, i) => {
    if (value !== String(i + 1)) problems.push(`output ${i} is ${value}`);
  });
  if (outputs.length < last) problems.push(`commit ${last} was acknowledged, there are ${outputs.length} outputs`);
  return commits;
}
