import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from './ports.ts';
import type { NodePlan } from './properties.ts';

/** How long a broker may take to start or to stop, in milliseconds. */
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 30_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const logFile = (node: NodePlan): string => join(node.folder, 'broker.log');

/** Whether the process is there and is still this node: ids are given again, also after the machine was restarted. */
export function isAlive(node: NodePlan, pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(node.folder);
  } catch {
    return !existsSync('/proc/self');
  }
}

/** Starts the Java process of a node; resolves with its id at once. It outlives this process unless it is stopped. */
export async function launch(node: NodePlan, classPath: string, javaOptions: readonly string[]): Promise<ChildProcess> {
  const log = await open(logFile(node), 'a');
  try {
    return spawn(
      'java',
      [
        '-Dorg.slf4j.simpleLogger.showDateTime=true',
        '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
        ...javaOptions,
        '-cp',
        classPath,
        'kafka.Kafka',
        join(node.folder, 'server.properties'),
      ],
      { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: node.folder },
    );
  } finally {
    await log.close();
  }
}

/** Size of the log, to be given to `ready` when the node is launched after that. */
export async function logSize(node: NodePlan): Promise<number> {
  return (await stat(logFile(node)).catch(() => undefined))?.size ?? 0;
}

/** Waits until the broker has said that it is started, and accepts connections. */
export async function ready(node: NodePlan, pid: number, from: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const log = (await readFile(logFile(node))).subarray(from).toString();
    if (log.includes('Kafka Server started') && (await accepts(node.ports.plain))) return;
    if (!isAlive(node, pid)) throw new Error(`Kafka node ${node.id} ended while starting:\n${log.slice(-4000)}`);
    if (performance.now() > deadline) throw new Error(`Kafka node ${node.id} does not start:\n${log.slice(-4000)}`);
    await pause(25);
  }
}

/** Waits until a process is gone; kills it when it does not go by itself. */
export async function gone(node: NodePlan, pid: number): Promise<void> {
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (isAlive(node, pid)) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await pause(25);
  }
}
