import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

// Inside of the project, where its packages are found.
const folder = mkdtempSync(join(resolve(import.meta.dirname), 'messages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each line is a mistake, and what the compiler says there must name it. */
const MISTAKES: readonly (readonly [mistake: string, said: RegExp])[] = [
  ["topic('a', { key: string(), valu: int32() });", /'valu' does not exist .* Did you mean to write 'value'/],
  [
    "topic('a', { key: string(), value: int32(), partition: 3 });",
    /'partition' does not exist .* Did you mean to write 'partitions'/,
  ],
  ["topic('a', { key: string, value: int32() });", /Serde/],
  [
    "orders.pipe(joinTable(users, (n, name) => `${name}`, { type: 'lef' }));",
    /'"lef"' is not assignable to type '"inner"'/,
  ],
  ["orders.pipe(joinStream(orders, (a, b) => a + b, { store: 'x', grace: '1s' }));", /'within' is missing/],
  [
    "orders.pipe(joinStream(orders, (a, b) => a + b, { store: 'x', within: { before: '1s', afterr: '1s' }, grace: '1s' }));",
    /'afterr' does not exist .* Did you mean to write 'after'/,
  ],
  [
    "orders.pipe(joinWindow(orders, minute, (a, b) => a + b, { stor: 'x' }));",
    /'stor' does not exist .* Did you mean to write 'store'/,
  ],
  [
    "orders.pipe(joinLookup(async (id: string) => id.length, (a, b) => a + b, { timout: '1s' }));",
    /'timout' does not exist .* Did you mean to write 'timeout'/,
  ],
  [
    "stock.pipe(joinRows(prices, (a, b) => a + b, { stor: 'x' }));",
    /'stor' does not exist .* Did you mean to write 'store'/,
  ],
];

const PREAMBLE = [
  "import { int32, joinLookup, joinRows, joinStream, joinTable, joinWindow, string, table, topic, tumbling } from 'millrace';",
  "const orders = topic('orders', { key: string(), value: int32() });",
  "const users = table('users', { key: string(), value: string() });",
  "const [stock, prices] = [table('stock', { key: string(), value: int32() }), table('prices', { key: string(), value: int32() })];",
  "const minute = tumbling({ size: '1m', grace: '0s' });",
  'export { joinLookup, joinRows, joinStream, joinTable, joinWindow, minute, orders, prices, stock, users };',
];

it('names the mistake, and not another overload', () => {
  writeFileSync(join(folder, 'mistakes.ts'), [...PREAMBLE, ...MISTAKES.map(([mistake]) => mistake)].join('\n'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions: { noEmit: true }, include: ['mistakes.ts'] }),
  );
  const said = compiled();
  for (const [at, [mistake, expected]] of MISTAKES.entries()) {
    const line = PREAMBLE.length + at + 1;
    const errors = said.split(/^(?=\S)/m).filter((error) => error.includes(`mistakes.ts(${line},`));
    expect(errors.join('\n'), mistake).toMatch(expected);
    expect(errors.join('\n'), mistake).not.toMatch(/RegExp|GlobalSource|'global'|'outer'/);
  }
});

function compiled(): string {
  const tsc = resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
  throw new Error('the mistakes compile');
}
