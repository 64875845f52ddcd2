import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { failure, readAll, send, values, valuesOf } from '../contract/support.ts';
import { folder } from './children.ts';

const O_DSYNC = 0o10000;
const taken: number[] = [];

/** Takes the descriptor away by which LMDB writes its header, as a disk would that fails in that moment. */
function breakHeader(file: string): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== file) continue;
      const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
      if ((Number.parseInt(flags ?? '0', 8) & O_DSYNC) === 0) continue;
    } catch {
      continue;
    }
    closeSync(fd);
    // The number is taken again, so that nobody else gets it: LMDB closes it once more.
    const again = openSync('/dev/null', 'r');
    expect(again, 'the same descriptor').toBe(fd);
    taken.push(again);
    return;
  }
  throw new Error('LMDB has no descriptor for the header');
}

describe.runIf(process.platform === 'linux')('an environment that LMDB has given up', () => {
  // LMDB prints what has failed in its writer.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
  afterEach(() => void vi.restoreAllMocks());

  it('is opened anew after a commit that failed, which was never there', async () => {
    const path = join(await folder('reopen'), 'log');
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events');
    await send(transport, 'events', 0, values('a'));
    breakHeader(join(path, 'log.mdb'));
    const error = await failure('ERR_STORE_WRITE', send(transport, 'events', 0, values('b')));
    expect(error.written).toBe('no');
    for (const value of ['c', 'd']) await send(transport, 'events', 0, values(value));
    expect(valuesOf(await readAll(transport, 'events'))).toEqual(['a', 'c', 'd']);
    await transport.close();
    const again = await embeddedTransport({ path })();
    expect(valuesOf(await readAll(again, 'events'))).toEqual(['a', 'c', 'd']);
    await again.close();
  });

  it('is opened anew without a word when a transaction does not even begin', async () => {
    const path = join(await folder('panic'), 'log');
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events');
    await send(transport, 'events', 0, values('a'));
    // The same environment, by another door: LMDB gives it up under our hands (MDB_PANIC).
    const raw = open(join(path, 'log.mdb'), {
      keyEncoding: 'binary',
      encoding: 'binary',
      maxDbs: 8,
      overlappingSync: false,
      eventTurnBatching: false,
    });
    breakHeader(join(path, 'log.mdb'));
    const failed = raw.childTransaction(() => {
      raw.putSync(Buffer.from('x'), Buffer.from('y'));
    });
    await failed.catch((reason: { commitError?: Promise<void> }) => reason.commitError?.catch(() => undefined));
    (raw as unknown as { env: { close(): void } }).env.close();
    await Promise.all([transport.topics.create('more'), transport.topics.create('yet-more')]);
    expect(await transport.topics.list()).toEqual(['events', 'more', 'yet-more']);
    await send(transport, 'events', 0, values('b'));
    expect(valuesOf(await readAll(transport, 'events'))).toEqual(['a', 'b']);
    await transport.close();
  });
});

/**
 * Counts LMDB's last transaction back by one, as a program does that opens the file beside a commit. In a process of its own,
 * because closing a descriptor of this file takes the locks of the process away.
 */
function setBack(lockFile: string): void {
  const program = `
    const fs = require('node:fs'), fd = fs.openSync(process.argv[1], 'r+'), number = Buffer.alloc(8);
    fs.readSync(fd, number, 0, 8, 8);
    number.writeBigUInt64LE(number.readBigUInt64LE() - 1n);
    fs.writeSync(fd, number, 0, 8, 8);`;
  expect(spawnSync(process.execPath, ['-e', program, lockFile]).status).toBe(0);
}

describe('a transaction that would stand on an older one', () => {
  it('is refused, and the process writes nothing more', async () => {
    const path = join(await folder('guard'), 'log');
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events');
    await send(transport, 'events', 0, values('a'));
    setBack(join(path, 'log.mdb-lock'));
    const error = await failure('ERR_STORE_FOREIGN', send(transport, 'events', 0, values('b')));
    expect(error.message).toMatch(/log\.mdb was opened by another program: the next transaction would replace \d+/);
    expect(error.written).toBe('no');
    await failure('ERR_STORE_FOREIGN', send(transport, 'events', 0, values('c')));
    await transport.close();
    // Whoever opens the file next, and nobody else does, sets it right.
    const again = await embeddedTransport({ path })();
    await send(again, 'events', 0, values('d'));
    expect(valuesOf(await readAll(again, 'events'))).toEqual(['a', 'd']);
    await again.close();
  });
});
