import { expect, inject, test } from 'vitest';
import { Cluster } from '../../src/transports/kafka/cluster.ts';
import type { BrokerConnection } from '../../src/transports/kafka/kafkajs-internals.ts';
import { thisMachine } from '../../src/transports/kafka/machine.ts';
import { kafkaSettings } from '../../src/transports/kafka/options.ts';
import { randomNumbers } from '../random.ts';
import { ModelBroker } from '../simulation/model/broker.ts';
import { Random } from '../simulation/random.ts';
import { makeOperations, Side } from './broker-operations.ts';

/** Sequences of operations, each on a topic and a group of its own. */
const ROUNDS = 8;

/** A connection to the model, without a network. */
function direct(broker: ModelBroker, address: string): BrokerConnection {
  return {
    address,
    usable: true,
    supports: (key, version) => broker.supports(key, version),
    request: ({ key, pieces, version }) => broker.handle(key, new Uint8Array(Buffer.concat(pieces)), { version }),
    close: () => undefined,
  };
}

test('the model of a broker answers as Kafka does', { timeout: 120_000 }, async () => {
  const next = randomNumbers();
  const real = new Cluster(kafkaSettings({ brokers: inject('brokers') }));
  const model = new ModelBroker(thisMachine.clock, new Random(Math.floor(next() * 2 ** 31)), 1);
  const modelled = new Cluster(kafkaSettings({ brokers: ['node-1:9092'] }), {
    ...thisMachine,
    connect: async ({ host, port }) => direct(model, `${host}:${port}`),
  });
  await Promise.all([real.connect(), modelled.connect()]);
  for (let round = 0; round < ROUNDS; round++) {
    const name = `model-${Math.floor(next() * 2 ** 31).toString(36)}`;
    const sides = [new Side(real, name), new Side(modelled, name)] as const;
    for (const side of sides) await side.begin();
    const told: [string[], string[]] = [[], []];
    const operations = makeOperations(new Random(Math.floor(next() * 2 ** 31)), 80);
    for (const [at, operation] of operations.entries()) {
      for (const [which, side] of sides.entries()) {
        const answer = await side.run(operation);
        told[which]?.push(`${at} ${JSON.stringify(operation)} => ${JSON.stringify(answer)}`);
      }
      // What comes after the first difference follows from it.
      if (told[0].at(-1) !== told[1].at(-1)) break;
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[0].length).toBe(operations.length);
  }
  real.close();
  modelled.close();
});
