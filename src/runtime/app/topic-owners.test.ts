import { expect, it } from 'vitest';
import { keyBy, memoryTransport, type OpenTransport, run, string, through, to, topic } from '../../index.ts';
import { MemoryLog } from '../../transports/memory/index.ts';

const words = (name: string, partitions?: number) =>
  topic(name, { key: string(), value: string(), ...(partitions === undefined ? {} : { partitions }) });
const source = words('source', 1);
const pipeline = (out: string) =>
  source.pipe(
    keyBy((word) => word),
    through(words('shuffle')),
    to(words(out)),
  );

/** A log that cannot mark topics, as a cluster where that is not permitted. */
const unmarkable = (log: MemoryLog): OpenTransport => {
  return async () => {
    const transport = await memoryTransport(log)();
    const topics = { ...transport.topics, claimAll: async () => undefined };
    return new Proxy(transport, {
      get: (target, name) => {
        if (name === 'topics') return topics;
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  };
};

it('where a topic cannot be marked a warning says that nothing keeps others away, and nobody is refused', async () => {
  const log = new MemoryLog();
  log.create('shuffle', { config: { retentionMs: -1 } });
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (_: object, message: string) => void warnings.push(message),
    error() {},
  };
  for (const applicationId of ['first', 'second']) {
    await run(pipeline(applicationId), { applicationId, transport: unmarkable(log), until: 'end', logger }).done;
    expect(warnings.splice(0)).toEqual([expect.stringContaining('topic shuffle cannot be marked')]);
  }
  await run(pipeline('third'), { applicationId: 'third', transport: memoryTransport(log), until: 'end', logger }).done;
  expect(warnings).toEqual([]);
  await expect(
    run(pipeline('fourth'), { applicationId: 'fourth', transport: memoryTransport(log), until: 'end' }).done,
  ).rejects.toMatchObject({
    code: 'ERR_TOPIC_OWNED',
    message: expect.stringContaining('application "third"') as string,
  });
});

it('an owner that the log does not know any more is named by its mark', async () => {
  const log = new MemoryLog();
  log.create('shuffle');
  log.claim(['shuffle'], '0badcafe');
  await expect(
    run(pipeline('out'), { applicationId: 'app', transport: memoryTransport(log), until: 'end' }).done,
  ).rejects.toMatchObject({ code: 'ERR_TOPIC_OWNED', message: expect.stringContaining('0badcafe') as string });
  expect(log.list(), 'nothing is made').toEqual(['shuffle']);
});
