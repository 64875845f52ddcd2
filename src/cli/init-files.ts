/** An import line of a generated file, built here so that it does not look like an import of this file. */
const imported = (names: string, from: string): string => `import ${names} from '${from}';`;

/** The files of a new project, by path. @param library - Where npm gets the library: a version or a file. */
export function projectFiles(name: string, library: string): Readonly<Record<string, string>> {
  return {
    'package.json': `${JSON.stringify(
      {
        name,
        version: '0.1.0',
        private: true,
        type: 'module',
        scripts: {
          start: 'tsx src/main.ts',
          dev: 'millrace dev src/sales.ts',
          graph: 'millrace graph src/sales.ts',
          test: 'tsx --test test/sales.test.ts',
          check: 'tsc',
        },
        dependencies: { millrace: library, rxjs: '^7.8.2' },
        devDependencies: { '@types/node': '^20.19.0', tsx: '^4.20.0', typescript: '^7.0.0' },
      },
      undefined,
      2,
    )}\n`,
    'tsconfig.json': `${JSON.stringify(
      {
        compilerOptions: {
          target: 'ES2023',
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          skipLibCheck: true,
          types: ['node'],
        },
        include: ['src', 'test'],
      },
      undefined,
      2,
    )}\n`,
    '.gitignore': 'node_modules\n.millrace\n',
    'README.md': readme(name),
    'src/sales.ts': SALES,
    'src/main.ts': MAIN,
    'test/sales.test.ts': TEST,
  };
}

const readme = (name: string): string => `# ${name}

What each shop sells, counted in windows of event time. Everything is in the folder \`.millrace\`: no broker is needed.

- \`npm start\` feeds orders, runs the pipeline, and shows its rows. Stop it with Ctrl-C, start it again: it continues where it stopped.
- \`npm test\` tests the pipeline without a log. \`npm run check\` checks the types, which nothing else here does.
- \`npm run dev\` runs \`src/sales.ts\` alone, again after each change; \`npm run graph\` draws it.
- \`npx millrace consume sales -o -10 -e\`, \`npx millrace state ls sales\` look inside.
`;

const SALES = `${imported('{ agg, deadLetter, json, string, to, topic, tumbling, windowBy }', 'millrace')}

export interface Order {
  readonly product: string;
  readonly cents: number;
}

export interface Sold {
  readonly orders: number;
  readonly cents: number;
}

/** Orders, by the shop that took them. What is not an order goes to orders.bad: npx millrace dlq ls orders.bad */
export const orders = topic('orders', {
  key: string(),
  value: json<Order>(),
  partitions: 1,
  onRecordError: deadLetter('orders.bad'),
});

/** What each shop has sold in five seconds. */
export const sales = topic('sales', { key: string(), value: json<Sold>(), partitions: 1 });

export default orders.pipe(
  windowBy(
    tumbling({ size: '5s', grace: '1s' }),
    { orders: agg.count(), cents: agg.sum((order) => order.cents) },
    { store: 'sales' },
  ),
  to(sales, { window: 'headers' }),
);

export const options = { applicationId: 'sales' };
`;

const MAIN = `${imported('{ connect, run, runUntilSignal }', 'millrace')}
${imported('pipeline, { options, orders, sales }', './sales.ts')}

const SHOPS = ['north', 'south', 'harbour'];
const PRODUCTS = ['tea', 'coffee', 'bread'];
const oneOf = (names: readonly string[]): string => names[Math.floor(Math.random() * names.length)] ?? '';

const client = await connect();
const app = run(pipeline, { ...options, dashboard: true });
await app.ready;
const page = await app.dashboard.catch(() => undefined);

// The feed: an order every 100 ms.
const feed = setInterval(() => {
  const value = { product: oneOf(PRODUCTS), cents: 100 + Math.floor(Math.random() * 900) };
  client.publish(orders, { key: oneOf(SHOPS), value }).catch((error: unknown) => console.error(error));
}, 100);

// The results.
const rows = client.records(sales).subscribe(({ key, value, timestamp }) => {
  const euros = (value.cents / 100).toFixed(2).padStart(8);
  console.log(\`\${new Date(timestamp).toISOString().slice(11, 19)}  \${key.padEnd(8)} \${value.orders} orders \${euros}\`);
});

console.log('orders arrive; every five seconds there is a row for each shop. Ctrl-C stops it.');
if (page !== undefined) console.log(\`live: \${page.url}\`);
await runUntilSignal(app);
clearInterval(feed);
rows.unsubscribe();
await client.close();
`;

const TEST = `${imported('assert', 'node:assert/strict')}
${imported('test', 'node:test')}
${imported('{ string, topic }', 'millrace')}
${imported('{ TestDriver }', 'millrace/testing')}
${imported('pipeline, { orders, sales }', '../src/sales.ts')}

const order = (key: string, cents: number, timestamp: number) => ({ key, value: { product: 'tea', cents }, timestamp });

test('sums up the orders of each shop, in windows of five seconds', () => {
  const driver = new TestDriver(pipeline);
  driver.pipeAll(orders, [order('north', 300, 1000), order('north', 200, 4999), order('south', 700, 2000)]);
  assert.deepEqual(driver.read(sales), []);
  // A window closes when stream time is a second past its end.
  driver.pipe(orders, order('south', 1, 6000));
  assert.deepEqual(
    driver.read(sales).map(({ key, value }) => [key, value]),
    [
      ['north', { orders: 2, cents: 500 }],
      ['south', { orders: 1, cents: 700 }],
    ],
  );
});

test('keeps what is not an order, and goes on', () => {
  const driver = new TestDriver(pipeline);
  const broken = topic('orders', { key: string(), value: string() });
  driver.pipe(broken, { key: 'north', value: '{"product":', timestamp: 1000 });
  driver.pipeAll(orders, [order('north', 300, 1000), order('south', 1, 6000)]);
  assert.equal(driver.deadLetters.length, 1);
  assert.equal(driver.read(sales).length, 1);
});

test('drops records that are too late, and counts them', () => {
  const driver = new TestDriver(pipeline);
  driver.pipeAll(orders, [order('north', 300, 1000), order('north', 1, 20_000), order('north', 200, 1000)]);
  assert.equal(driver.read(sales)[0]?.value?.orders, 1);
  assert.equal(driver.late.length, 1);
});
`;
