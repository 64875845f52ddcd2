import { keyBy, memoryTransport, run, to } from 'millrace';
import { expect, it } from 'vitest';
import type { Transport } from '../../src/log/transport.ts';
import { shared } from './several-instances.ts';
import { FaultyLog, gate, out, source, until } from './support.ts';

it('a task that goes to another process and comes back while it is being opened begins where that one has left off', async () => {
  const log = new FaultyLog().create('source', 4).create('out', 4);
  const records = Array.from({ length: 200 }, (_, n) => ({ key: `${n}`, value: n, timestamp: n }));
  log.publish(source, records.slice(0, 100));
  const pipeline = source.pipe(
    keyBy((n) => `${n}`),
    to(out),
  );
  const found = gate();
  let asked = false;
  /** Where tasks begin is not found before the gate opens. */
  const slow = (transport: Transport): Transport =>
    new Proxy(transport, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== 'offsets') return typeof value === 'function' ? value.bind(target) : value;
        return async (...query: Parameters<Transport['offsets']>) => {
          if (query[1] !== 'earliest') return target.offsets(...query);
          asked = true;
          await found.wait;
          return target.offsets(...query);
        };
      },
    });
  const options = { applicationId: 'app', commitInterval: '0ms', logger: false } as const;
  const open = async (): Promise<Transport> => shared(await memoryTransport(log.log)());
  const first = run(pipeline, { ...options, transport: async () => slow(await open()) });
  await until('the first one is opening its tasks', () => asked);
  const second = run(pipeline, { ...options, transport: open });
  await until('the second one does its share', () => second.snapshot().recordsIn > 20);
  await until('it has nothing to do', () => second.snapshot().tasks.every(({ lag }) => lag === 0));
  await second.stop();
  log.publish(source, records.slice(100));
  found.open();
  await until('the first one does the rest', () => log.values().length >= records.length);
  await until('it has nothing to do', () => first.snapshot().tasks.every(({ lag }) => lag === 0));
  await first.stop();
  expect(log.values().sort((a, b) => Number(a) - Number(b))).toEqual(records.map(({ value }) => value));
});
