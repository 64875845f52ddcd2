import { copyFile, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { embeddedTransport, salvage } from '../../src/transports/embedded/index.ts';
import { batch, failure, join as joinGroup, readAll, send, until, values } from '../contract/support.ts';
import { randomNumbers } from '../random.ts';
import { folder, startChild } from './children.ts';

const RECORDS = 400;
const PAGE = 4096;
const state = { applicationId: 'app', store: 'counts', partition: 0 };

/** A log with records, a store and offsets, closed. */
async function makeLog(): Promise<string> {
  const path = join(await folder('damage'), 'log');
  const transport = await embeddedTransport({ path })();
  await transport.topics.create('events', { partitions: 2 });
  for (let i = 0; i < RECORDS; i += 10) {
    const rows = Array.from({ length: 10 }, (_, j) => ({ key: `k${i + j}`, value: `value ${i + j} `.repeat(20) }));
    await send(transport, 'events', (i / 10) % 2, rows);
  }
  const { session, tasks } = await joinGroup(transport, 'app', 'events', 1);
  await until('the task', () => tasks.size === 1);
  const keys = Array.from({ length: 300 }, (_, i) => new TextEncoder().encode(`key ${i}`));
  await session.send([batch('events', 0, values('from the application'))]);
  await session.commit({
    generation: session.generation,
    offsets: [{ topic: 'events', partition: 0, offset: 7 }],
    state: [{ id: state, keys, values: keys }],
  });
  await session.leave();
  await transport.close();
  return path;
}

/** A killed process leaves no note of how the file looked, so that only its structure is checked before opening. */
const asIfKilled = (path: string): Promise<void> => rm(join(path, 'clean.json'));

const dataFile = (path: string): string => join(path, 'log.mdb');

async function change(path: string, edit: (bytes: Buffer) => void): Promise<void> {
  const file = await open(dataFile(path), 'r+');
  const bytes = await readFile(dataFile(path));
  edit(bytes);
  await file.write(bytes, 0, bytes.length, 0);
  await file.close();
}

/** Opens and reads in a process of its own. It may fail, but it must say so and live. */
async function openElsewhere(path: string): Promise<string> {
  const child = startChild('open', [path]);
  const end = await child.exit(60_000);
  expect(end, `the process ended with ${end}: ${child.errors().slice(-1000)}`).toBe(0);
  return child.lines.at(-1) ?? '';
}

describe('a damaged log', () => {
  it('opens and reads when nothing is wrong with it', async () => {
    expect(await openElsewhere(await makeLog())).toBe(`read ${RECORDS + 1}`);
  });

  it.each<readonly [string, (bytes: Buffer) => void]>([
    ['both headers are zeroed', (bytes) => bytes.fill(0, 0, 2 * PAGE)],
    ['the first header is zeroed', (bytes) => bytes.fill(0, 0, PAGE)],
    ['it is not a database at all', (bytes) => bytes.fill('Lorem ipsum dolor sit amet. ')],
    ['everything behind the headers is zeroed', (bytes) => bytes.fill(0, 2 * PAGE)],
    [
      'everything behind the headers is noise',
      (bytes) => bytes.fill('\x7f\x91\x00\xa3', 2 * PAGE, bytes.length, 'latin1'),
    ],
  ])('is refused when %s', async (_, edit) => {
    const path = await makeLog();
    await change(path, edit);
    const before = await readFile(dataFile(path));
    for (let i = 0; i < 2; i++) expect(await openElsewhere(path)).toMatch(/^failed ERR_CORRUPT_LOG .*salvage/);
    expect((await readFile(dataFile(path))).equals(before), 'the damaged file is left as it is').toBe(true);
  });

  it('is refused when it was cut in half, emptied or removed', async () => {
    const path = await makeLog();
    const { size } = await stat(dataFile(path));
    await truncate(dataFile(path), size >> 1);
    expect(await openElsewhere(path)).toMatch(/^failed ERR_CORRUPT_LOG /);
    await truncate(dataFile(path), 0);
    expect(await openElsewhere(path)).toMatch(/^failed ERR_CORRUPT_LOG .*empty/);
  });

  it('is refused, or reads right, when any one page is zeroed', { timeout: 120_000 }, async () => {
    const good = await makeLog();
    const { size } = await stat(dataFile(good));
    const pages = Array.from({ length: size / PAGE - 2 }, (_, i) => i + 2);
    const chosen = pages.filter((_, i) => i % Math.ceil(pages.length / 14) === 0);
    const outcomes = await inTurns(chosen, async (page) => {
      const path = await copyOf(good);
      await change(path, (bytes) => bytes.fill(0, page * PAGE, (page + 1) * PAGE));
      return openElsewhere(path);
    });
    for (const outcome of outcomes) expect(outcome).toMatch(/^(failed ERR_CORRUPT_(LOG|BATCH) |read 401$)/);
    expect(outcomes.some((outcome) => outcome.startsWith('failed'))).toBe(true);
  });

  it('is refused, or reads right, when bits are flipped anywhere', { timeout: 120_000 }, async () => {
    const random = randomNumbers();
    const good = await makeLog();
    const { size } = await stat(dataFile(good));
    const outcomes = await inTurns([...Array(20).keys()], async (i) => {
      const path = await copyOf(good);
      await change(path, (bytes) => {
        const flips = i % 2 === 0 ? 1 : 40;
        for (let n = 0; n < flips; n++) {
          const at = Math.floor(random() * size);
          bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
        }
      });
      return openElsewhere(path);
    });
    for (const outcome of outcomes) expect(outcome).toMatch(/^(failed ERR_CORRUPT_(LOG|BATCH) |read 401$)/);
  });

  it('is refused where a search would miss what is there, because a key that leads to it was changed', async () => {
    const path = await makeLog();
    const good = await readFile(dataFile(path));
    const refusals: string[] = [];
    // Branch pages, also those that are free by now.
    for (let page = 2 * PAGE; page < good.length; page += PAGE) {
      if (good.readUInt16LE(page + 18) !== 1 || good.readUInt32LE(page) !== page / PAGE) continue;
      const node = page + 24 + good.readUInt16LE(page + 26);
      const copy = await copyOf(path);
      await change(copy, (bytes) => void (bytes[node + 7 + bytes.readUInt16LE(node + 6)]! ^= 0x80));
      const outcome = await openElsewhere(copy);
      if (outcome !== `read ${RECORDS + 1}`) refusals.push(outcome);
    }
    // The trees of batches and of their index.
    expect(refusals.length).toBeGreaterThanOrEqual(2);
    for (const refusal of refusals) {
      expect(refusal).toMatch(/^failed ERR_CORRUPT_LOG .*page \d+: its keys are not where they should be/);
    }
  });

  it('names the lost records when it was changed while it was closed', async () => {
    const path = await makeLog();
    await change(path, (bytes) => {
      const at = bytes.indexOf('value 105 ');
      bytes[at] = bytes[at]! ^ 1;
    });
    const error = await failure('ERR_CORRUPT_LOG', embeddedTransport({ path })());
    expect(error.message).toContain('lost: events/0@50..59');
    expect(error.message).toContain('salvage');
  });

  it('names the records of a damaged batch when they are read, and reads the others', async () => {
    const path = await makeLog();
    await asIfKilled(path);
    await change(path, (bytes) => {
      const at = bytes.indexOf('value 105 ');
      bytes[at] = bytes[at]! ^ 1;
    });
    const transport = await embeddedTransport({ path })();
    const fetcher = transport.fetcher({ onReady: () => undefined });
    // Records 100 to 109 are the sixth batch of partition 0.
    fetcher.assign('events', 0, 50);
    const error = await failure('ERR_CORRUPT_BATCH', () => fetcher.poll('events', 0));
    expect(error).toMatchObject({ topic: 'events', partition: 0, offset: 50, lastOffset: 59, errorClass: 'store' });
    await failure('ERR_CORRUPT_BATCH', () => fetcher.poll('events', 0));
    expect((await readAll(transport, 'events', 0, 60)).length).toBe(141);
    await transport.close();
  });

  it('refuses a damaged value of a store', async () => {
    const path = await makeLog();
    await asIfKilled(path);
    await change(path, (bytes) => {
      for (let at = bytes.indexOf('key 7'); at >= 0; at = bytes.indexOf('key 7', at + 1)) {
        // Before a value is its checksum, before a key the number of its store: keys out of order are found at once.
        if (bytes.readUIntBE(at - 4, 3) !== 0) bytes[at] = 0x4b;
      }
    });
    const transport = await embeddedTransport({ path })();
    const { session } = await joinGroup(transport, 'app', 'events', 1);
    const store = session.stores.open(state);
    await failure('ERR_CORRUPT_LOG', () => [...store.range()]);
    expect(store.get(new TextEncoder().encode('key 1'))).toEqual(new TextEncoder().encode('key 1'));
    await transport.close();
  });
});

describe('salvage', () => {
  it('copies a sound log as it is', async () => {
    const path = await makeLog();
    const target = `${path}-new`;
    const report = await salvage(path, target);
    expect(report).toMatchObject({ batches: 41, stateEntries: 300, damage: [], lost: [], renamed: [] });
    expect(await openElsewhere(target)).toBe(`read ${RECORDS + 1}`);
    const transport = await embeddedTransport({ path: target })();
    expect(await transport.committed('app', [{ topic: 'events', partition: 0 }])).toMatchObject([{ offset: 7 }]);
    expect((await send(transport, 'events', 0, values('next'))).baseOffset).toBe(201);
    await transport.topics.create('another');
    await send(transport, 'another', 0, values('x'));
    expect(await readAll(transport, 'events', 0)).toHaveLength(202);
    await transport.close();
  });

  it('copies what is readable and names what is lost', async () => {
    const path = await makeLog();
    await change(path, (bytes) => {
      const at = bytes.indexOf('value 105 ');
      bytes[at] = bytes[at]! ^ 1;
    });
    const target = `${path}-new`;
    const report = await salvage(path, target);
    expect(report.lost).toEqual([{ topic: 'events', partition: 0, offset: 50, lastOffset: 59 }]);
    expect(report.damage).not.toEqual([]);
    const transport = await embeddedTransport({ path: target })();
    const offsets = (await readAll(transport, 'events', 0)).map((row) => row.offset);
    expect(offsets).toEqual([...Array(201).keys()].filter((offset) => offset < 50 || offset > 59));
    await transport.close();
  });

  it('gives no new store what is left of one whose name and number are lost', async () => {
    const path = await makeLog();
    await change(path, (bytes) => {
      for (const text of ['"store":"counts"', '"nextId":'])
        for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at + 1] = 0x78;
    });
    const report = await salvage(path, `${path}-new`);
    expect(report).toMatchObject({ stateEntries: 300, renamed: [] });
    expect(report.damage).toHaveLength(2);
    const transport = await embeddedTransport({ path: `${path}-new` })();
    const { session, tasks } = await joinGroup(transport, 'app', 'events', 1);
    await until('the task', () => tasks.size === 1);
    const key = Uint8Array.of(1);
    await session.commit({
      generation: session.generation,
      offsets: [],
      state: [{ id: state, keys: [key], values: [key] }],
    });
    expect([...session.stores.open(state).keys()]).toEqual([key]);
    await session.leave();
    await transport.close();
  });

  it.each([
    ['is of a partition that there is not', 4, 0x80],
    ['is of another partition', 7, 0x01],
    ['is of another topic', 2, 0x40],
  ])('copies no batch whose damaged key %s', async (_, byte, mask) => {
    const path = await makeLog();
    // Records 100 to 109 of partition 0: the key is in the tree of the batches and in that of the index, and leads to a
    // page of one of them.
    const key = Buffer.from('00000001000000000000000000000032', 'hex');
    const good = await readFile(dataFile(path));
    // It is also in pages that are free, where it says nothing.
    let damaged = 0;
    for (let at = good.indexOf(key); at >= 0; at = good.indexOf(key, at + 1)) {
      const copy = await copyOf(path);
      await change(copy, (bytes) => void (bytes[at + byte]! ^= mask));
      const report = await salvage(copy, `${copy}-new`);
      expect(report).toMatchObject({ renamed: [] });
      if (report.damage.length > 0) damaged++;
      const transport = await embeddedTransport({ path: `${copy}-new` })();
      const partitions = await Promise.all([0, 1].map((partition) => readAll(transport, 'events', partition)));
      expect((await transport.topics.describe('events'))?.partitions).toBe(2);
      expect(await transport.topics.list()).toEqual(['events']);
      const offsets = [...Array(201).keys()];
      const lost = report.lost.length > 0;
      expect(partitions[0]!.map((row) => row.offset)).toEqual(offsets.filter((n) => !lost || n < 50 || n > 59));
      expect(partitions[1]!.map((row) => row.offset)).toEqual(offsets.slice(0, 200));
      await transport.close();
    }
    expect(damaged).toBe(3);
  });

  it('never fails on damage, whatever it is', { timeout: 120_000 }, async () => {
    const random = randomNumbers();
    const good = await makeLog();
    const { size } = await stat(dataFile(good));
    for (let i = 0; i < 12; i++) {
      const path = await copyOf(good);
      await change(path, (bytes) => {
        if (i < 6) {
          const page = Math.floor(random() * (size / PAGE));
          bytes.fill(0, page * PAGE, (page + 1) * PAGE);
        } else for (let n = 0; n < 40; n++) bytes[Math.floor(random() * size)]! ^= 1 << (n % 8);
      });
      const report = await salvage(path, `${path}-new`);
      expect(report.batches).toBeLessThanOrEqual(41);
      expect(await openElsewhere(`${path}-new`)).toMatch(/^read \d+$/);
    }
  });

  it('refuses a target that holds something', async () => {
    const path = await makeLog();
    await failure('ERR_SALVAGE_TARGET', salvage(path, path));
  });
});

describe('a folder without a log', () => {
  it('stays as it is when none is to be begun', async () => {
    const parent = await folder('none');
    const [missing, empty] = [join(parent, 'missing'), join(parent, 'empty')];
    await mkdir(empty);
    for (const path of [missing, empty]) {
      const error = await failure('ERR_NO_LOG', embeddedTransport({ path, create: false })());
      expect(error.message).toContain(path);
    }
    expect(await readdir(parent)).toEqual(['empty']);
    expect(await readdir(empty)).toEqual([]);
    await (await embeddedTransport({ path: empty })()).close();
    await (await embeddedTransport({ path: empty, create: false })()).close();
  });
});

describe('a folder whose first process was killed while LMDB made its databases', () => {
  it.each([0, 1, 2, 3])('after %i of them: is a new log', async (made) => {
    const path = join(await folder('begun'), 'log');
    await (await embeddedTransport({ path })()).close();
    // What is left is looked at, as the file is not as it was closed.
    for (const name of ['log.mdb', 'doorbell']) await rm(join(path, name));
    const root = openLmdb(dataFile(path), { keyEncoding: 'binary', encoding: 'binary', maxDbs: 8 });
    for (const name of ['meta', 'index', 'log'].slice(0, made)) root.openDB(name, { encoding: 'binary' });
    await root.close();
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events');
    await send(transport, 'events', 0, [{ key: 'k', value: 'v' }]);
    expect(await readAll(transport, 'events', 0)).toHaveLength(1);
    await transport.close();
  });
});

describe('a folder that is not ours', () => {
  it('is refused and not touched', async () => {
    const parent = await folder('foreign');
    const path = join(parent, 'photos');
    await mkdir(path);
    await writeFile(join(path, 'holiday.jpg'), 'x');
    const error = await failure('ERR_NOT_A_LOG', embeddedTransport({ path })());
    expect(error.message).toContain('holiday.jpg');
    await failure('ERR_NOT_A_LOG', embeddedTransport({ path: join(path, 'holiday.jpg') })());
  });

  it('is refused when a newer version wrote it', async () => {
    const path = await makeLog();
    await writeFile(join(path, 'millrace.json'), JSON.stringify({ millrace: 'embedded log', format: 99 }));
    const before = await readFile(dataFile(path));
    const error = await failure('ERR_STORE_VERSION', embeddedTransport({ path })());
    expect(error.message).toContain('99');
    expect((await readFile(dataFile(path))).equals(before)).toBe(true);
  });

  it('is made for its owner and group only', async () => {
    const path = await makeLog();
    expect((await stat(path)).mode & 0o777).toBe(0o750 & ~process.umask());
    expect((await stat(dataFile(path))).mode & 0o007).toBe(0);
  });
});

async function copyOf(path: string): Promise<string> {
  const copy = join(await folder('copy'), 'log');
  await mkdir(join(copy, 'runs'), { recursive: true });
  for (const name of ['log.mdb', 'millrace.json', 'doorbell', 'clean.json'])
    await copyFile(join(path, name), join(copy, name));
  return copy;
}

/** Two at a time: as many as there are cores on a small machine. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += 2) results.push(...(await Promise.all(items.slice(i, i + 2).map(work))));
  return results;
}
