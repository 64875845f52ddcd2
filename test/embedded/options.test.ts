import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoreId } from '../../src/state/byte-store.ts';
import { type Durability, embeddedTransport, lmdbStores } from '../../src/transports/embedded/index.ts';
import { batch, failure, readAll, send, values, valuesOf } from '../contract/support.ts';
import { folder } from './children.ts';

describe('embeddedTransport', () => {
  it.each<Durability>(['fsync', 'commit', 'memory'])(
    'keeps records over a restart with durability %s',
    async (durability) => {
      const path = join(await folder('durability'), 'log');
      const first = await embeddedTransport({ path, durability })();
      await first.topics.create('t');
      const producer = first.producer();
      await Promise.all(Array.from({ length: 20 }, (_, i) => producer.send([batch('t', 0, values(String(i)))])));
      await first.close();
      const second = await embeddedTransport({ path, durability })();
      expect(valuesOf(await readAll(second, 't'))).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
      await second.close();
    },
  );

  it('opens a folder once per process, and refuses another durability there', async () => {
    const path = join(await folder('shared'), 'log');
    const first = await embeddedTransport({ path })();
    const error = await failure('ERR_OPTION_MISMATCH', embeddedTransport({ path, durability: 'commit' })());
    expect(error.message).toContain('fsync');
    const [second, third] = await Promise.all([embeddedTransport({ path })(), embeddedTransport({ path })()]);
    await first.topics.create('t');
    await first.close();
    await send(second, 't', 0, values('still open'));
    await second.close();
    expect(valuesOf(await readAll(third, 't'))).toEqual(['still open']);
    await third.close();
    const again = await embeddedTransport({ path, durability: 'commit' })();
    expect(await again.topics.list()).toEqual(['t']);
    await again.close();
  });

  it('can be opened again while it is being closed', async () => {
    const path = join(await folder('reopen'), 'log');
    for (let i = 0; i < 10; i++) {
      const transport = await embeddedTransport({ path })();
      await transport.topics.create('t', { ifMissing: true });
      await send(transport, 't', 0, values(String(i)));
      void transport.close();
    }
    const last = await embeddedTransport({ path })();
    expect(await readAll(last, 't')).toHaveLength(10);
    await last.close();
  });
});

describe('lmdbStores', () => {
  it('keeps entries over a restart', async () => {
    const path = await folder('stores');
    const id: StoreId = { applicationId: 'app', store: 's', partition: 3 };
    const key = (i: number) => Uint8Array.of(i >> 8, i & 255);
    const keys = Array.from({ length: 1000 }, (_, i) => key(i));
    const first = await lmdbStores(path);
    first.apply([{ id, keys, values: keys }]);
    first.apply([{ id, keys: [key(5)], values: [null] }]);
    expect(first.open(id).get(key(5))).toBeUndefined();
    await first.close();
    const second = await lmdbStores(path);
    expect(second.list('app')).toEqual([id]);
    expect([...second.open(id).range(key(4), key(7))].map(([k]) => k)).toEqual([key(4), key(6)]);
    expect([...second.open(id).range()]).toHaveLength(999);
    await second.close();
  });

  it('takes keys of any length, in order, beside those that begin like them', async () => {
    const path = await folder('long');
    const id: StoreId = { applicationId: 'app', store: 's', partition: 0 };
    const lengths = [0, 1, 1900, 1941, 1942, 1943, 1973, 1974, 1975, 2100, 5000, 200_000];
    const keys = lengths.flatMap((length) =>
      [0, 1, 255].map((last) => {
        const key = new Uint8Array(length).fill(7);
        if (length > 0) key[length - 1] = last;
        return key;
      }),
    );
    const unique = keys.slice(2).sort((left, right) => Buffer.compare(left, right));
    const valueOf = (key: Uint8Array) => Uint8Array.of(key.length & 255, key.at(-1) ?? 9);
    const first = await lmdbStores(path);
    first.apply([{ id, keys: unique, values: unique.map(valueOf) }]);
    await first.close();
    const stores = await lmdbStores(path);
    const store = stores.open(id);
    const read = (from?: Uint8Array, to?: Uint8Array) => {
      const keys = [...store.keys(from, to)];
      const found = [...store.range(from, to)].map(([key], at) => {
        expect(Buffer.compare(key, keys[at] ?? new Uint8Array(0))).toBe(0);
        return unique.findIndex((each) => Buffer.compare(each, key) === 0);
      });
      expect(keys).toHaveLength(found.length);
      return found;
    };
    const all = unique.map((_, at) => at);
    expect(read()).toEqual(all);
    for (const key of unique) expect(store.get(key), `${key.length}`).toEqual(valueOf(key));
    for (const [at, from] of unique.entries()) {
      expect(read(from), `from ${from.length}`).toEqual(all.slice(at));
      expect(read(undefined, from), `to ${from.length}`).toEqual(all.slice(0, at));
      expect(read(from, unique[at + 2]), `around ${from.length}`).toEqual(all.slice(at, at + 2));
    }
    stores.apply([
      {
        id,
        keys: unique.filter((_, at) => at % 2 === 0),
        values: unique.filter((_, at) => at % 2 === 0).map(() => null),
      },
    ]);
    expect(read()).toEqual(all.filter((at) => at % 2 === 1));
    await stores.close();
  });
});
