import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { useCli } from './processes.ts';

const cli = useCli();
const root = fileURLToPath(new URL('../..', import.meta.url));

const file = (name: string, text: string): void => writeFileSync(join(cli.folder, name), text);

const CLICKS = `
import { json, keyBy, type Serde, string, through, to, topic, StreamRecord } from 'millrace';
import { filter } from 'rxjs';
import { isWanted } from './rules.js';

enum Kind { Page = 'page' }
interface Click { readonly user: string; readonly kind: Kind }
class Wanted { constructor(private readonly kind: Kind) {} is(click: Click): boolean { return click.kind === this.kind; } }

const value: Serde<Click> = json<Click>();
export const clicks = topic('clicks', { value });
export const byUser = topic('clicks-by-user', { key: string(), value });
const wanted = new Wanted(Kind.Page);
export const users = clicks.pipe(
  filter((click: StreamRecord<null, Click>) => wanted.is(click.value) && isWanted(click.value.user)),
  keyBy((click) => click.user),
  through(byUser),
  to(topic('report', { key: string(), value })),
);
`;

beforeEach(() => {
  cli.project();
  file('rules.ts', 'export const isWanted = (user: string): boolean => user !== "";');
  file('clicks.ts', CLICKS);
});

describe('millrace graph', () => {
  it('draws the pipeline of a TypeScript file as it is', async () => {
    const text = await cli.run('graph clicks.ts');
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out).toContain('stage clicks-by-user\n  topic clicks-by-user\n  └─ topic report\n');
    const { code, out } = await cli.run('graph clicks.ts users --json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ stages: [{ name: 'clicks' }, { name: 'clicks-by-user' }] });
    expect((await cli.run('graph clicks.ts -f svg')).out).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect((await cli.run('graph clicks.ts -f mermaid')).out).toMatch(/^flowchart LR\n/);
    expect((await cli.run('graph clicks.ts -f dot')).out).toMatch(/^digraph /);
  });

  it('takes the default export, several that run together, and JavaScript', async () => {
    file(
      'plain.mjs',
      `
      import { bytes, to, topic } from 'millrace';
      const copy = (from, into) => topic(from, { value: bytes() }).pipe(to(topic(into, { value: bytes() })));
      export const other = copy('x', 'y');
      export default [copy('a', 'b'), copy('c', 'd')];
    `,
    );
    const { code, err, out } = await cli.run('graph plain.mjs');
    expect([code, err]).toEqual([0, '']);
    expect(out.match(/^stage .*/gm)).toEqual(['stage a', 'stage c']);
    expect((await cli.run('graph plain.mjs other')).out).toContain('stage x');
  });

  it.each([
    ['graph nope.ts', 2, 'there is no file nope.ts'],
    ['graph clicks.ts user', 2, 'exports no user – did you mean users?'],
    ['graph clicks.ts -f png', 2, 'Allowed choices are text, mermaid, dot, svg, json'],
    ['graph', 2, "missing required argument 'file'"],
    ['graph empty.ts', 2, 'exports no pipeline'],
    ['graph two.ts', 2, 'exports 2 pipelines: one, two'],
    ['graph broken.ts', 1, 'broken.ts'],
    ['graph throws.ts', 1, 'throws.ts:2:'],
    ['graph wrong.ts', 2, 'ERR_KEY_CHANGED'],
    ['graph lost.ts', 1, 'gone'],
  ])('%s: ends with %i', { timeout: 30_000 }, async (args, code, message) => {
    file('empty.ts', 'export const three: number = 3;');
    file(
      'two.ts',
      `
      import { bytes, to, topic } from 'millrace';
      const value = bytes();
      export const one = topic('a', { value }).pipe(to(topic('b', { value })));
      export const two = topic('c', { value }).pipe(to(topic('d', { value })));
    `,
    );
    file('broken.ts', 'export default (;\n');
    file('throws.ts', '\nthrow new Error("no settings");\n');
    file('lost.ts', 'import { x } from "gone";\nexport default x;\n');
    file(
      'wrong.ts',
      `
      import { agg, aggregate, json, keyBy, string, topic } from 'millrace';
      export default topic('t', { key: string(), value: json<{ a: string }>() }).pipe(
        keyBy((value) => value.a),
        aggregate(agg.count(), { store: 's' }) as never,
      );
    `,
    );
    const result = await cli.run(args);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toContain(message);
    expect(result.err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('ends quietly when nobody reads', async () => {
    const { child, ended } = cli.start(['graph', 'clicks.ts']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
  });

  it('says what is missing where there is no package', async () => {
    const { code, err } = await cli.run(['graph', join(root, '..', 'nowhere.ts')]);
    expect([code, err]).toEqual([2, expect.stringContaining('there is no file')]);
  });
});
