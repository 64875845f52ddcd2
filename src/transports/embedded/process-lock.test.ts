import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { standingOf } from './presence.ts';
import { currentProcess } from './process-identity.ts';
import { tryLock, unlock } from './process-lock.ts';

let folder: string;
let file: string;
const me = currentProcess();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  file = join(folder, 'open.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const leave = (holder: object): void => writeFileSync(file, JSON.stringify(holder));

it('has one holder, and leaves nothing when it is given back', async () => {
  expect((await tryLock(file, me, standingOf)).taken).toBe(true);
  expect(await tryLock(file, me, standingOf)).toMatchObject({ taken: false, holder: { pid: me.pid } });
  unlock(file);
  expect(readdirSync(folder)).toEqual([]);
});

it('is inherited from dead holders, by one process, and by another after that one has died too', async () => {
  for (const startTime of ['1', '2', '3']) {
    leave({ ...me, startTime });
    expect((await tryLock(file, me, standingOf)).taken, startTime).toBe(true);
    expect((await tryLock(file, me, standingOf)).taken, startTime).toBe(false);
    unlock(file);
    expect(readdirSync(folder)).toEqual([]);
  }
  leave({ ...me, startTime: '1' });
  const heir = { ...me, startTime: '2' };
  expect((await tryLock(file, heir, standingOf)).taken).toBe(true);
  expect((await tryLock(file, me, standingOf)).taken).toBe(true);
  unlock(file);
  expect(readdirSync(folder)).toEqual([]);
});

it('goes to one of many that want to inherit it at the same moment', async () => {
  leave({ ...me, startTime: '1' });
  const attempts = await Promise.all(Array.from({ length: 20 }, () => tryLock(file, me, standingOf)));
  expect(attempts.filter(({ taken }) => taken)).toHaveLength(1);
});

it('is not kept by a file that a power cut has emptied', async () => {
  writeFileSync(file, '');
  expect((await tryLock(file, me, standingOf)).taken).toBe(true);
  unlock(file);
  expect(readdirSync(folder)).toEqual([]);
});

it('is kept by a holder that nobody can ask, because it is in another container', async () => {
  leave({ ...me, namespace: 'pid:[1]' });
  expect(await tryLock(file, me, standingOf)).toMatchObject({ taken: false, elsewhere: true });
  leave({ ...me, namespace: 'pid:[1]', socket: 'nobody-listens.alive' });
  expect((await tryLock(file, me, standingOf)).taken).toBe(true);
});
