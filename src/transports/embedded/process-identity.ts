import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Tells one process from every other, also from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Of the boot, or the name of the machine. */
  readonly bootId: string;
  /** Start of the process in ticks since the boot; empty where the system does not tell. */
  readonly startTime: string;
  /** Which numbering the pid belongs to: containers have their own. */
  readonly namespace: string;
}

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Field 22 of `/proc/<pid>/stat`; empty when there is no such process or no `/proc`. */
function startTimeOf(pid: number): string {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds no files any more, unless one of its threads has not come back from the disk yet.
    const ended = (fields[0] === 'Z' || fields[0] === 'X') && readdirSync(`/proc/${pid}/task`).length <= 1;
    return ended ? '' : (fields[19] ?? '');
  });
}

/** Changes with every boot of the machine; empty where the system does not tell. */
export function bootId(): string {
  return attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
}

let me: ProcessIdentity | undefined;

export function currentProcess(): ProcessIdentity {
  // A fork of a process has another pid.
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

/** Whether a process counts its pids as this one does, so that one can see the other. */
export function isVisible(other: ProcessIdentity, from: ProcessIdentity = currentProcess()): boolean {
  return other.bootId !== from.bootId || other.namespace === from.namespace;
}

/**
 * Whether a process is still there. A process of another boot is not. For one of another container this says no: whether
 * it lives is asked of `Presence`.
 */
export function isAlive(other: ProcessIdentity, from: ProcessIdentity = currentProcess()): boolean {
  if (other.bootId !== from.bootId || other.namespace !== from.namespace) return false;
  if (from.startTime !== '' && other.startTime !== '') return startTimeOf(other.pid) === other.startTime;
  try {
    process.kill(other.pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a process too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
