import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { currentProcess, isAlive, isVisible, type ProcessIdentity } from './process-identity.ts';

/** Something that a process leaves in a folder to say who it is. */
export interface Sign extends ProcessIdentity {
  /** Name of the socket beside it on which the process listens; absent where there are none. */
  readonly socket?: string;
}

const ENDING = '.alive';
let count = 0;

/** `elsewhere` is alive, or may be, in a container of its own: it cannot be seen, only heard. */
export type Standing = 'alive' | 'dead' | 'elsewhere';

/**
 * A socket on which a process listens for as long as it lives, so that processes of other containers can tell: the system
 * takes it away with the process, also with one that was killed, and leaves it with one that is stopped.
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
    // Where there are no namespaces of pids every process can be seen.
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
      // A file system without sockets. Others will not know whether this process lives, and stay away.
      closeSync(fd);
      return new Presence(me);
    }
    server.on('error', () => undefined);
    server.unref();
    return new Presence({ ...me, socket }, server, fd);
  }

  /** Gives the socket up. */
  async close(): Promise<void> {
    if (this.#server === undefined) return;
    await new Promise<void>((resolve) => {
      this.#server!.close(() => resolve());
    });
    closeSync(this.#folder!);
  }
}

/** A name that no other thread has, of any process, on one machine between two boots. */
export function threadName(): string {
  const { pid, startTime, namespace } = currentProcess();
  return [pid, startTime, digits(namespace), threadId].join('-');
}

const digits = (text: string): string => text.replaceAll(/\D/g, '');

/** Removes the sockets of dead processes that could be seen. */
function tidy(folder: string, me: ProcessIdentity): void {
  for (const name of readdirSync(folder)) {
    const [, pid, startTime = '', namespace] = /^(\d+)-(\d*)-(\d*)-\d+-\d+\.alive$/.exec(name) ?? [];
    if (pid === undefined || namespace !== digits(me.namespace) || isAlive({ ...me, pid: Number(pid), startTime }, me))
      continue;
    rmSync(join(folder, name), { force: true });
  }
}

/** The path of a socket may have about a hundred bytes; that of a folder may have more. */
const shortPath = (folder: number, socket: string): string => `/proc/self/fd/${folder}/${socket}`;

/** What has become of the process that left a sign in a file. */
export async function standingOf(sign: Sign, file: string): Promise<Standing> {
  if (isVisible(sign)) return isAlive(sign) ? 'alive' : 'dead';
  // Nobody knows about a process of another container that does not listen.
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
