import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { currentProcess, isAlive, isVisible, type ProcessIdentity } from './process-identity.ts';

/** Identifies a process in a file that it leaves in a folder. */
export interface Sign extends ProcessIdentity {
  /** Name of the socket next to it on which the process listens; missing if sockets are unavailable. */
  readonly socket?: string;
}

const ENDING = '.alive';
let count = 0;

/** `elsewhere`: alive, or possibly alive, in another container, where only its socket can tell. */
export type Standing = 'alive' | 'dead' | 'elsewhere';

/**
 * A socket on which a process listens as long as it lives, so that processes in other containers can tell. The system
 * closes it with the process, even a killed one, and keeps it for a suspended one.
 */
export class Presence {
  readonly sign: Sign;
  readonly #server: Server | undefined;
  readonly #folder: number | undefined;

  private constructor(sign: Sign, server?: Server, folder?: number) {
    this.sign = sign;
    this.#server = server;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Presence> {
    const me = currentProcess();
    tidy(folder, me);
    // Without pid namespaces every process is visible.
    if (me.namespace === '') return new Presence(me);
    const socket = `${threadName()}-${++count}${ENDING}`;
    const fd = openSync(folder, 'r');
    const server = createServer((client) => client.destroy());
    try {
      rmSync(join(folder, socket), { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(shortPath(fd, socket), resolve);
      });
    } catch {
      // A file system without sockets. Others cannot tell whether this process is alive and stay away.
      closeSync(fd);
      return new Presence(me);
    }
    server.on('error', () => undefined);
    server.unref();
    return new Presence({ ...me, socket }, server, fd);
  }

  /** Closes the socket. */
  async close(): Promise<void> {
    if (this.#server === undefined) return;
    await new Promise<void>((resolve) => {
      this.#server!.close(() => resolve());
    });
    closeSync(this.#folder!);
  }
}

/** A name that is unique among the threads of all processes on a machine between two boots. */
export function threadName(): string {
  const { pid, startTime, namespace } = currentProcess();
  return [pid, startTime, digits(namespace), threadId].join('-');
}

const digits = (text: string): string => text.replaceAll(/\D/g, '');

/** Removes the sockets of dead processes in this pid namespace. */
function tidy(folder: string, me: ProcessIdentity): void {
  for (const name of readdirSync(folder)) {
    const [, pid, startTime = '', namespace] = /^(\d+)-(\d*)-(\d*)-\d+-\d+\.alive$/.exec(name) ?? [];
    if (pid === undefined || namespace !== digits(me.namespace) || isAlive({ ...me, pid: Number(pid), startTime }, me))
      continue;
    rmSync(join(folder, name), { force: true });
  }
}

/** Socket paths are limited to about a hundred bytes; the path of the folder may be longer. */
const shortPath = (folder: number, socket: string): string => `/proc/self/fd/${folder}/${socket}`;

/** The standing of the process that left a sign in a file. */
export async function standingOf(sign: Sign, file: string): Promise<Standing> {
  if (isVisible(sign)) return isAlive(sign) ? 'alive' : 'dead';
  // The standing of a process in another container without a socket is unknown.
  if (sign.socket === undefined) return 'elsewhere';
  return (await listens(dirname(file), sign.socket)) ? 'elsewhere' : 'dead';
}

async function listens(folder: string, socket: string): Promise<boolean> {
  const fd = openSync(folder, 'r');
  try {
    return await new Promise<boolean>((resolve) => {
      const client = connect(shortPath(fd, socket));
      client.once('connect', () => resolve(true));
      client.once('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
      );
      client.once('close', () => client.destroy());
      client.once('connect', () => client.destroy());
    });
  } finally {
    closeSync(fd);
  }
}
