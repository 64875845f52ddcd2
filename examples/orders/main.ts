import { connect, run, watch } from 'millrace';
import { bar } from '../shared/chart.ts';
import { createTopics, feed, inChunks } from '../shared/feed.ts';
import { interruptSignal } from '../shared/interrupt.ts';
import { readOptions } from '../shared/options.ts';
import { tableLines } from '../shared/table.ts';
import { grouped, screenOf } from '../shared/terminal.ts';
import { compareRows, sayVerdict } from '../shared/verdict.ts';
import { expectedOf } from './check.ts';
import {
  customers,
  latePayments,
  orders,
  payments,
  pipeline,
  products,
  returns,
  revenue,
  settled,
} from './pipeline.ts';
import { type Arrival, generateShop, LENGTH_MS, START } from './shop.ts';

const { path } = readOptions({
  text: 'A day of a shop: orders and their payments, and what each region has kept and paid for.\n',
  path: '.millrace/orders',
});
const screen = screenOf(process.stdout);
const signal = interruptSignal();
const shop = generateShop(6_000, 2024);

const client = await connect({ path });
try {
  await createTopics(client, [orders, payments, returns, customers, products, settled, latePayments, revenue]);
  const from = <V>(records: readonly Arrival<V>[]) => {
    const rows = records.map(({ key, timestamp, value }) => ({ key, timestamp, value }));
    return (position: number) => inChunks(rows, 2_000, position);
  };
  await feed(client, products, from(shop.products), { signal });
  await feed(client, customers, from(shop.customers), { signal });
  await feed(client, returns, from(shop.returns), { signal });
  await feed(client, payments, from(shop.payments), { signal });
  const { published } = await feed(client, orders, from(shop.orders), { signal });
  console.log(`published ${grouped(published)} orders`);

  const app = run(pipeline, { applicationId: 'orders', path, until: 'end', openWindows: 'close', signal });
  const { snapshot, seconds } = await watch(app, { span: { from: START, to: START + LENGTH_MS } });
  if (signal.aborted) {
    console.log('Stopped cleanly. Run it again to continue.');
  } else {
    const found: [string, boolean][] = [];
    const spent = new Map<string, number>();
    await client.records(settled, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      found.push([key, value.paid]);
      if (value.paid) spent.set(value.name, (spent.get(value.name) ?? 0) + value.cents);
    });
    // The newest row of a region replaces the earlier ones.
    const regions = new Map<string, { orders: number; pieces: number; returned: number; cents: number }>();
    await client.records(revenue, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      regions.set(key, value);
    });
    const late: [string, unknown][] = [];
    await client.records(latePayments, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      late.push([key, value]);
    });

    const money = (cents: number): string => `${grouped(Math.round(cents / 100))} €`;
    const most = Math.max(1, ...[...regions.values()].map(({ cents }) => cents));
    const rows = [...regions]
      .sort(([, a], [, b]) => b.cents - a.cents)
      .map(([region, row]) => [
        region,
        grouped(row.orders),
        grouped(row.pieces),
        grouped(row.returned),
        money(row.cents),
        bar(row.cents / most, 24),
      ]);
    const columns = [{ title: 'region' }, ...['orders', 'kept', 'returned', 'revenue'].map(numbers), { title: '' }];
    console.log(`\n${tableLines(columns, rows).join('\n')}\n`);
    const unpaid = found.filter(([, paid]) => !paid).length;
    const best = [...spent].sort(([, a], [, b]) => b - a)[0];
    console.log(`most was spent on ${best?.[0]}: ${money(best?.[1] ?? 0)}, before returns`);
    console.log(`${grouped(unpaid)} orders were not paid in time; ${late.length} payments came too late to count\n`);

    const expected = expectedOf(shop);
    const differences = compareRows(expected.paid, found);
    compareRows(expected.late, late, differences);
    compareRows(expected.revenue, regions, differences);
    const read = snapshot.recordsIn === 0 ? 'nothing new this time' : `${seconds.toFixed(1)} s`;
    sayVerdict(
      screen,
      `${grouped(found.length)} orders, ${late.length} late payments and the revenue of ${regions.size} regions agree ` +
        `with a direct computation (${read})`,
      differences,
    );
  }
} finally {
  await client.close();
}

function numbers(title: string): { readonly title: string; readonly align: 'right' } {
  return { title, align: 'right' };
}
