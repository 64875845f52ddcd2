import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes, nullable, topic } from 'millrace';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cli, lines, told, useCli, useCliOnce } from './processes.ts';

let cli: Cli;
const file = (name: string, text: string): void => writeFileSync(join(cli.folder, name), text);

const pipeline = (limit: number): string => `
  import { agg, aggregate, deadLetter, json, keyBy, mapValues, string, through, to, topic } from 'millrace';
  const orders = topic('orders', { key: string(), value: json<{ total: number; shop: string }>() });
  const byShop = topic('by-shop', { key: string(), value: json<{ total: number; shop: string }>() });
  const totals = topic('totals', { key: string(), value: json<number>() });
  export const options = { onRecordError: deadLetter('bad-orders') };
  export default orders.pipe(
    mapValues((order: { total: number; shop: string }) => { if (order.total > ${limit}) throw new Error('too dear'); return order; }),
    keyBy((order) => order.shop),
    through(byShop),
    aggregate(agg.sum((order: { total: number }) => order.total), { store: 'totals' }),
    to(totals),
  );
`;
const ORDERS = ['{"total":1,"shop":"n"}', '{"total":100,"shop":"n"}', '{"total":2,"shop":"n"}', 'no json'];
const run = async (): Promise<void> => {
  expect((await cli.run('run orders.ts -e -q')).err.replace(/^.*warn .*\n/gm, '')).toBe('');
};
const totals = async (): Promise<string[]> =>
  (await cli.run(['consume', 'totals', '-e', '-f', '%v\\n'])).out.trim().split('\n');

async function setUp(): Promise<void> {
  cli.project();
  file('orders.ts', pipeline(10));
  await cli.inProcess('topics create orders');
  await cli.inProcess(['produce', 'orders', '-k', 'a', '-H', 'from=test'], `${ORDERS.join('\n')}\n`);
  await run();
}

describe('dead letters and starting over', () => {
  const own = useCli();
  beforeEach(() => {
    cli = own;
    return setUp();
  });

  describe('millrace dlq', () => {
    it('lists, shows, replays once, and drops dead letters', async () => {
      expect(lines((await cli.run('dlq ls')).out)).toEqual([
        { topic: 'bad-orders', letters: 2, replayed: 0, last: 'ERR_DECODE' },
      ]);
      const listed = lines((await cli.run('dlq ls bad-orders')).out);
      expect(listed).toMatchObject([
        { place: '0@0', code: 'ERR_USER_CODE', from: 'orders/0@1' },
        { place: '0@1', code: 'ERR_DECODE', from: 'orders/0@3' },
      ]);
      expect(lines((await cli.inProcess('dlq ls bad-orders --code ERR_DECODE')).out)).toHaveLength(1);
      const shown = await cli.run('dlq show bad-orders 0@0 --value json');
      expect(lines(shown.out)).toMatchObject([
        {
          code: 'ERR_USER_CODE',
          message: expect.stringContaining('too dear') as string,
          value: JSON.parse(ORDERS[1] as string) as unknown,
          valueEncoding: 'decoded',
          headers: [['from', 'test']],
        },
      ]);
      // As consume prints records: produce takes it.
      await cli.inProcess('topics create repair');
      const line = (await cli.inProcess('dlq show bad-orders 0@0 --json')).out;
      await cli.inProcess('produce repair -J', line);
      const [first, copy] = await Promise.all(
        ['orders', 'repair'].map(async (each) => lines((await cli.inProcess(`consume ${each} -J -e`)).out)),
      );
      expect({ ...(copy?.[0] as object), topic: 'orders', offset: 1 }).toEqual(first?.[1]);
      const dry = await cli.run('dlq replay bad-orders --code ERR_USER_CODE');
      expect([dry.code, lines(dry.out)]).toEqual([0, [{ topic: 'orders', records: 1 }]]);
      expect(dry.err).toContain('would be replayed; add --execute');
      file('orders.ts', pipeline(1000));
      expect((await cli.run('dlq replay bad-orders --execute')).err).toContain('2 records were replayed');
      expect((await cli.run('dlq replay bad-orders --execute')).err).toContain('nothing to replay');
      const copies = lines((await cli.run('consume orders -J -e')).out) as { offset: number; timestamp: number }[];
      expect({ ...copies[4], offset: 1 }).toEqual(copies[1]);
      await run();
      expect((await totals()).at(-1)).toBe('103');
      expect((await cli.run('dlq drop bad-orders --before 1')).err).toContain(
        '1 letter of bad-orders would be removed',
      );
      expect((await cli.run('dlq drop bad-orders --yes')).err).toContain('3 letters of bad-orders removed');
      expect((await cli.run('dlq ls bad-orders')).err).toContain('no dead letters');
    });

    it('tells null from text, and bytes from base64, in the JSON of a letter', async () => {
      const headers = [
        ['h', new TextEncoder().encode('1')],
        ['h', null],
        ['b', Uint8Array.of(255, 0)],
      ] as const;
      const bad = topic('bad-orders', { key: nullable(bytes()), value: nullable(bytes()) });
      await cli.withClient(async (client) => {
        const because = [['millrace.error.code', new TextEncoder().encode('ERR_X')]] as const;
        await client.publish(bad, { key: null, value: Uint8Array.of(254, 1), headers: [...headers, ...because] });
        await client.publish(bad, { key: new TextEncoder().encode('null'), value: null, headers: because });
      });
      const show = async (at: number) => lines((await cli.inProcess(`dlq show bad-orders ${at}`)).out);
      expect(await show(2)).toMatchObject([
        {
          key: null,
          value: '/gE=',
          valueEncoding: 'base64',
          headers: [
            ['h', '1'],
            ['h', null],
            ['b', '/wA=', 'base64'],
          ],
        },
      ]);
      expect(await show(3)).toMatchObject([{ key: 'null', value: null, headers: [] }]);
    });

    it('says what was done before it was interrupted, with the exit code of the signal', async () => {
      const more = { signal: AbortSignal.abort(), signalled: () => 130 };
      const stopped = await cli.inProcess('dlq replay bad-orders --execute', '', more);
      expect(stopped).toMatchObject({
        code: 130,
        err: 'interrupted: 0 records replayed; the other letters can be replayed later\n',
      });
      expect(await cli.inProcess('dlq ls bad-orders', '', more)).toMatchObject({ code: 130, err: 'interrupted\n' });
      expect(await cli.inProcess('dlq drop bad-orders --execute', '', more)).toMatchObject({ code: 130 });
      expect(lines((await cli.inProcess('dlq ls bad-orders')).out)).toHaveLength(2);
    });

    it('goes on with the first letter that there is, where those behind the last replay were removed', async () => {
      await cli.inProcess('dlq replay bad-orders --execute');
      await run();
      expect((await cli.inProcess('dlq drop bad-orders --before 3 --yes')).err).toContain(
        '3 letters of bad-orders removed',
      );
      const dry = await cli.inProcess('dlq replay bad-orders');
      expect([dry.code, lines(dry.out)]).toEqual([0, [{ topic: 'orders', records: 1 }]]);
      expect((await cli.inProcess('dlq replay bad-orders --execute')).err).toContain('1 record was replayed');
      expect((await cli.inProcess('dlq replay bad-orders')).err).toContain('nothing to replay');
    });

    it('forgets no letter that it has left out, and says which were replayed', async () => {
      const replay = async (flags: string) => {
        const { code, err, out } = await cli.inProcess(`dlq replay bad-orders ${flags}`);
        return { code, err, out: lines(out) };
      };
      expect(await replay('--code ERR_DECODE --execute')).toMatchObject({ out: [{ topic: 'orders', records: 1 }] });
      expect(lines((await cli.inProcess('dlq ls')).out)).toMatchObject([{ letters: 2, replayed: 1 }]);
      const replayed = async () =>
        (lines((await cli.inProcess('dlq ls bad-orders')).out) as { replayed: unknown }[]).map((row) => row.replayed);
      expect(await replayed()).toEqual([null, 'orders']);
      expect(lines((await cli.inProcess('dlq show bad-orders 1')).out)).toMatchObject([{ replayed: 'orders' }]);
      await cli.inProcess('topics create repair');
      expect(await replay('--to repair --execute')).toMatchObject({ out: [{ topic: 'repair', records: 2 }] });
      // The topic of the letters is gone for a while: they wait for it.
      await cli.inProcess('topics delete orders --yes');
      expect(await replay('--execute')).toEqual({
        code: 0,
        out: [],
        err: '2 letters of topic orders, which is gone: left out\nthere is nothing to replay in bad-orders\n',
      });
      await cli.inProcess('topics create orders');
      expect(await replay('--execute')).toEqual({
        code: 0,
        out: [{ topic: 'orders', records: 1 }],
        err: '1 letter replayed before: left out; --all replays them again\n1 record was replayed\n',
      });
      expect(await replayed()).toEqual(['repair, orders', 'orders, repair']);
      expect(await replay('--all')).toMatchObject({ out: [{ topic: 'orders', records: 2 }] });
    });

    it('fails for what its topic refuses, and replays the others', async () => {
      await cli.inProcess(['produce', 'orders', '-k', 'big'], `${'x'.repeat(3000)}\n`);
      await run();
      await cli.inProcess('topics configure orders -c maxMessageBytes=2000');
      const refused = await cli.inProcess('dlq replay bad-orders --execute');
      expect({ code: refused.code, rows: lines(refused.out) }).toEqual({
        code: 1,
        rows: [{ topic: 'orders', records: 2 }],
      });
      expect(refused.err).toMatch(/^1 letter that topic orders refuses: .*too large/m);
      await cli.inProcess('topics configure orders -c maxMessageBytes=20000');
      expect((await cli.inProcess('dlq replay bad-orders --execute')).err).toContain('1 record was replayed');
    });

    it('leaves out a record that a step has counted, unless it goes to another topic', async () => {
      file(
        'sums.ts',
        `import { agg, aggregate, deadLetter, json, mapValues, string, to, topic } from 'millrace';
        const numbers = topic('numbers', { key: string(), value: json<number>() });
        export const options = { onRecordError: deadLetter('bad-numbers') };
        export default numbers.pipe(
          aggregate(agg.sum((n: number) => n), { store: 'sums' }),
          mapValues((sum) => { if (sum > 1) throw new Error('too dear'); return sum; }),
          to(topic('sums', { key: string(), value: json<number>() })),
        );`,
      );
      await cli.inProcess('topics create numbers');
      await cli.inProcess(['produce', 'numbers', '-k', 'a'], '1\n2\n');
      expect((await cli.run('run sums.ts -e -q')).code).toBe(0);
      const left = await cli.run('dlq replay bad-numbers --execute');
      expect([left.code, left.out]).toEqual([0, '']);
      expect(left.err).toContain('1 letter whose record aggregate(sums) has counted already: left out');
      await cli.inProcess('topics create repair');
      const repaired = await cli.run('dlq replay bad-numbers --all --to repair --execute');
      expect(lines(repaired.out)).toEqual([{ topic: 'repair', records: 1 }]);
    });
  });

  describe('millrace reset', () => {
    it('shows what would be done, and starts the application over', async () => {
      expect(await totals()).toEqual(['1', '3']);
      const dry = await cli.run('reset orders');
      expect(dry.code).toBe(0);
      expect(lines(dry.out)).toEqual([
        { what: 'offset', name: 'orders', partition: 0, from: 4, to: 'none' },
        { what: 'store', name: 'totals', partition: null, from: null, to: 'deleted' },
        { what: 'topic', name: 'by-shop', partition: null, from: null, to: 'deleted' },
      ]);
      expect(dry.err).toContain('would be reset; add --execute');
      await run();
      expect(await totals()).toEqual(['1', '3']);
      expect((await cli.run('reset orders --execute')).err).toContain('was reset');
      expect((await cli.inProcess('state ls orders')).err).toContain('has neither offsets nor state');
      await run();
      // Counted from nothing, and each record once.
      expect(await totals()).toEqual(['1', '3', '1', '3']);
    });

    it('deletes no topic that the application did not make for itself', async () => {
      const refused = await cli.inProcess('reset orders --internal-topics orders --execute');
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain('orders is not a topic that orders made for itself');
      expect((await cli.inProcess('topics ls')).out).toContain('orders');
      expect((await cli.inProcess('reset orders --internal-topics by-shop')).code).toBe(0);
    });

    it('moves it to where an option says', async () => {
      file('offsets.csv', 'orders,0,2\n');
      const to = async (option: string): Promise<unknown> =>
        (lines((await cli.inProcess(`reset orders ${option}`)).out)[0] as { to: unknown }).to;
      expect(await to('--to-earliest')).toBe(0);
      expect(await to('--to-latest')).toBe(4);
      expect([await to('--to earliest'), await to('--to end'), await to('--to -1'), await to('--to @-1h')]).toEqual([
        0, 4, 3, 0,
      ]);
      expect(await to('--to-offset 3')).toBe(3);
      expect(await to('--to-offset 30')).toBe(4);
      expect(await to('--shift-by -3')).toBe(1);
      expect(await to('--by-duration PT1H')).toBe(0);
      expect(await to('--to-datetime 2999-01-01')).toBe(4);
      expect(await to(`--from-file ${join(cli.folder, 'offsets.csv')}`)).toBe(2);
      await cli.run('reset orders --to-offset 2 --yes');
      await run();
      expect(await totals()).toEqual(['1', '3', '2']);
    });

    it('is refused while the application runs', async () => {
      const running = cli.start(['run', 'orders.ts']);
      await told(running, 'ready after');
      expect(await cli.run('reset orders --execute')).toMatchObject({
        code: 2,
        err: expect.stringContaining('ERR_GROUP_ACTIVE') as string,
      });
      running.child.kill('SIGTERM');
      expect((await running.ended).code).toBe(0);
      expect((await cli.inProcess('reset orders')).code).toBe(0);
    });
  });
});

describe('wrong use', () => {
  const shared = useCliOnce();
  beforeAll(() => {
    cli = shared;
    return setUp();
  });

  it.each([
    ['dlq ls nope', 1, 'there is no topic nope'],
    ['dlq show bad-orders 0@99', 1, 'there is no dead letter at 0@99'],
    ['dlq show bad-orders x', 2, 'x is not a place'],
    ['dlq drop orders --yes', 2, 'are not dead letters'],
    ['dlq replay bad-orders --to nope', 1, 'there is no topic nope'],
    ['dlq ls -b 127.0.0.1:1', 1, 'ECONNREFUSED'],
    ['dlq', 2, 'Usage: millrace dlq'],
    ['reset order', 1, 'did you mean orders?'],
    ['reset orders --to-earliest --to-latest', 2, 'more than one place'],
    ['reset orders --to 1:2', 2, 'give one place'],
    ['reset orders --to start --to-latest', 2, 'more than one place'],
    ['reset orders --shift-by x', 2, 'give a whole number'],
    ['reset orders --by-duration soon', 2, 'such as 1h'],
    ['reset orders --from-file nope', 2, 'cannot be read'],
    ['reset orders --input-topics nope', 1, 'there is no topic nope'],
    ['reset orders --dry-run --execute', 2, 'both given'],
    ['reset', 2, "missing required argument 'application'"],
  ])('%s: ends with %i', { timeout: 30_000 }, async (args, code, message) => {
    cli = shared;
    expect(await cli.run(args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) as string });
  });
});
