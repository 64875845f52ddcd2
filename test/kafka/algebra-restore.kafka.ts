import { connect, run } from 'millrace';
import { expect, inject, it, onTestFinished } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { readAll, unique } from '../contract/support.ts';
import { BLOCK, numbersFrom, PARTITIONS } from './algebra.ts';
import { pipelineOf, restoredWork } from './algebra-kinds.ts';

/** So many numbers before each start. No process leaves anything behind but what is on the broker. */
const BLOCKS = 15;

it('goes on with sessions, joins, held rows and rows that end from changelogs alone', {
  timeout: 180_000,
}, async () => {
  const brokers = inject('brokers');
  const client = await connect({ brokers });
  onTestFinished(() => client.close());
  const transport = await kafkaTransport({ brokers })();
  onTestFinished(() => transport.close());
  const applicationId = unique('algebra');
  const parts = restoredWork(applicationId);
  for (const topic of parts.flatMap(({ topics }) => topics))
    await client.topics.create(topic, { partitions: PARTITIONS });
  const pipeline = pipelineOf(parts);
  const goOn = (): Promise<unknown> =>
    run(pipeline, { applicationId, brokers, until: 'end', openWindows: 'keep', kafka: { guarantee: 'exactly-once' } })
      .done;

  const start = Math.floor(Date.now() / 1000) * 1000;
  let count = 0;
  for (let round = 0; round < 3; round++) {
    for (let block = 0; block < BLOCKS; block++, count += BLOCK)
      await Promise.all(parts.map(({ publish }) => publish(client, start, numbersFrom(count))));
    await goOn();
  }
  await Promise.all(parts.map(({ close }) => close(client, start, count)));
  await goOn();

  for (const { judge, kind, output } of parts) {
    const rows = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const { key, value } of await readAll(transport, output, partition)) rows.push({ key: key ?? '', value });
    }
    expect(rows.length, kind).toBeGreaterThan(0);
    expect(judge(rows, start, count), kind).toEqual({ lost: [], repeated: [], wrong: [] });
  }
});
