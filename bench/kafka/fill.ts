import { connect } from 'millrace';
import { type Click, KINDS } from '../shared/clicks.ts';
import { buyAt, buysFor, inputAt } from './expected.ts';
import { BUYS, buys, CLICKS, categoryOf, clicks, PARTITIONS, PRODUCTS, products } from './works.ts';

const CHUNK = 10_000;

/** Fills the topics that all contestants read; they are the same in each run. */
export async function fillTopics(brokers: readonly string[], records: number): Promise<void> {
  // kafkajs reads no lz4.
  const client = await connect({ brokers, compression: 'none' });
  for (const name of [CLICKS, BUYS, PRODUCTS]) {
    if ((await client.topics.list()).includes(name)) await client.topics.delete(name);
  }
  for (const name of [CLICKS, BUYS]) await client.topics.create(name, { partitions: PARTITIONS });
  await client.topics.create(PRODUCTS, { partitions: 1, config: { cleanup: 'compact' } });
  const rows = Array.from({ length: KINDS }, (_, product) => ({
    key: `/products/${product}`,
    category: categoryOf(product),
  }));
  await client.publishAll(
    products,
    rows.flatMap(({ category, key }) => (category === undefined ? [] : [{ key, value: { category } }])),
  );
  for (let begin = 0; begin < records; begin += CHUNK) {
    await client.publishAll(
      clicks,
      Array.from({ length: Math.min(CHUNK, records - begin) }, (_, index) => {
        const { text, timestamp, userId } = inputAt(begin + index, records);
        return { key: userId, value: JSON.parse(text) as Click, timestamp };
      }),
    );
  }
  const count = buysFor(records);
  for (let begin = 0; begin < count; begin += CHUNK) {
    const length = Math.min(CHUNK, count - begin);
    await client.publishAll(
      buys,
      Array.from({ length }, (_, index) => buyAt(begin + index, records)),
    );
  }
  await client.close();
}
