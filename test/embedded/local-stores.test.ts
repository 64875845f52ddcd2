import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LocalStores, StoreId } from '../../src/state/byte-store.ts';
import { localStores } from '../../src/transports/embedded/index.ts';
import { failure, until } from '../contract/support.ts';
import { folder, startChild } from './children.ts';

const id: StoreId = { applicationId: 'app', store: 's', partition: 0 };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function put(stores: LocalStores, key: number, value = key): void {
  stores.apply([{ id, keys: [bytes(key)], values: [bytes(value)] }]);
}

const keysOf = (stores: LocalStores): number[] => Array.from(stores.open(id).range(), ([key]) => key[0]!);

describe('localStores', () => {
  it('keeps entries over a restart', async () => {
    const path = await folder('local');
    const first = await localStores(path)('app');
    put(first, 1);
    put(first, 2);
    await first.close();
    const second = await localStores(path)('app');
    expect(keysOf(second)).toEqual([1, 2]);
    expect(second.open(id).get(bytes(2))).toEqual(bytes(2));
    await second.close();
  });

  it('gives each application, and each of its processes, a folder of its own', async () => {
    const path = await folder('local');
    const open = localStores(path);
    const [first, second, other] = [await open('app'), await open('app'), await open('other')];
    put(first, 1);
    put(second, 2);
    expect([keysOf(first), keysOf(second), keysOf(other)]).toEqual([[1], [2], []]);
    expect(await readdir(join(path, 'app'))).toEqual(['0', '1']);
    await first.close();
    const third = await open('app');
    expect(keysOf(third)).toEqual([1]);
    await Promise.all([second, other, third].map((stores) => stores.close()));
  });

  it('goes on with what a killed process has left', async () => {
    const path = await folder('local');
    const child = startChild('stores', [path]);
    await child.line('ready', 60_000);
    await until('entries', () => child.lines.length > 50);
    child.kill('SIGKILL');
    await child.exit();
    const told = child.lines.filter((line) => line.startsWith('put ')).length;
    const stores = await localStores(path)('app');
    expect(await readdir(join(path, 'app'))).toEqual(['0']);
    const found = [...stores.open(id).range()].length;
    expect(found).toBeGreaterThanOrEqual(told);
    expect(found).toBeLessThanOrEqual(told + 1);
    await stores.close();
  });

  it('begins anew where the machine went down while they were open', async () => {
    const path = await folder('local');
    const stores = await localStores(path)('app');
    put(stores, 1);
    await stores.close();
    const note = join(path, 'app', '0', 'stores.json');
    const left = { ...(JSON.parse(await readFile(note, 'utf8')) as object), closed: null, bootId: 'an earlier one' };
    await writeFile(note, JSON.stringify(left));
    const again = await localStores(path)('app');
    expect(keysOf(again)).toEqual([]);
    put(again, 2);
    await again.close();
    const third = await localStores(path)('app');
    expect(keysOf(third)).toEqual([2]);
    await third.close();
  });

  it.each<readonly [string, (path: string) => Promise<void>]>([
    ['another version wrote them', (path) => writeFile(join(path, 'stores.json'), '{"format":2}')],
    ['nothing is known of them', (path) => rm(join(path, 'stores.json'))],
    [
      'somebody has changed them',
      async (path) => {
        const file = await open(join(path, 'log.mdb'), 'r+');
        await file.write(Buffer.alloc(4096), 0, 4096, 0);
        await file.close();
      },
    ],
  ])('begins anew where %s', async (_, change) => {
    const path = await folder('local');
    const stores = await localStores(path)('app');
    put(stores, 1);
    await stores.close();
    await change(join(path, 'app', '0'));
    const again = await localStores(path)('app');
    expect(keysOf(again)).toEqual([]);
    await again.close();
  });

  it('leaves closed files alone', async () => {
    const stores = await localStores(await folder('local'))('app');
    const store = stores.open(id);
    await stores.close();
    put(stores, 1);
    await failure('ERR_CLOSED', () => store.get(bytes(1)));
    await stores.close();
  });
});
