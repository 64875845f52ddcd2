import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process, even among later ones with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Id of the boot, or the name of the machine. */
  readonly bootId: string;
  /** Start of the process in ticks since boot; empty if the system does not provide it. */
  readonly startTime: string;
  /** The pid namespace: containers have their own. */
  readonly namespace: string;
}

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Field 22 of `/proc/<pid>/stat`; empty if there is no such process or no `/proc`. */
function startTimeOf(pid: number): string {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has no open files any more, unless one of its threads is still waiting for the disk.
    const ended = (fields[0] === 'Z' || fields[0] === 'X') && readdirSync(`/proc/${pid}/task`).length <= 1;
    return ended ? '' : (fields[19] ?? '');
  });
}

/** Changes with every boot of the machine; empty if the system does not provide it. */
export function bootId(): string {
  return attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
}

let me: ProcessIdentity | undefined;

export function currentProcess(): ProcessIdentity {
  // A forked process has another pid.
  if (me?.pid === process.pid) return me;
  me = {
    pid: process.pid,
    bootId: bootId() || hostname(),
    startTime: startTimeOf(process.pid),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
  return me;
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.bootId === b.bootId && a.startTime === b.startTime && a.namespace === b.namespace;
}

/** Whether a process is in the same pid namespace, so that it can be seen. */
export function isVisible(other: ProcessIdentity, from: ProcessIdentity = currentProcess()): boolean {
  return other.bootId !== from.bootId || other.namespace === from.namespace;
}

/**
 * Whether a process is still alive. A process of an earlier boot is not. For one in another container this returns
 * false; use `Presence` for those.
 */
export function isAlive(other: ProcessIdentity, from: ProcessIdentity = currentProcess()): boolean {
  if (other.bootId !== from.bootId || other.namespace !== from.namespace) return false;
  if (from.startTime !== '' && other.startTime !== '') return startTimeOf(other.pid) === other.startTime;
  try {
    process.kill(other.pid, 0);
    return true;
  } catch (error) {
    // A process of another user is alive too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
