import { expect, it } from 'vitest';
import { countByKey, json, memoryTransport, type RunOptions, run, string, to, topic } from '../../src/index.ts';
import { localStores } from '../../src/transports/embedded/index.ts';

const clicks = topic('clicks', { key: string(), value: json<number>() });
const pipeline = clicks.pipe(
  countByKey({ store: 'counts' }),
  to(topic('counts', { key: string(), value: json<number>() })),
);

it.each<readonly [string, Partial<RunOptions>]>([
  ['on the embedded log', {}],
  ['with a transport', { transport: memoryTransport() }],
  ['where the stores are given', { brokers: ['localhost:9092'], kafka: { stores: localStores('elsewhere') } }],
])('stateDir is refused %s', (_, options) => {
  const start = (): unknown => run(pipeline, { applicationId: 'app', stateDir: 'state', ...options });
  expect(start).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('stateDir') as string }),
  );
});

it.each(['.', '..', 'a/b', ''])('an applicationId names a folder and a topic, so %j is refused', (applicationId) => {
  const start = (): unknown => run(pipeline, { applicationId, transport: memoryTransport() });
  expect(start).toThrow(expect.objectContaining({ code: 'ERR_APPLICATION_ID' }));
});
