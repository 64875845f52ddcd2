import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import {
  agg,
  bytes,
  type Client,
  connect,
  type DashboardOptions,
  deadLetter,
  json,
  keyBy,
  mapValues,
  memoryTransport,
  run,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';
import type { About, Live, LiveEvent, ShownLetter, ShownRecord, StateAnswer } from '../../src/dashboard/live-data.ts';
import { type FoundLetter, letterAt } from '../../src/letters/read-letters.ts';
import { LetterReplay, type Sending } from '../../src/letters/replay-letters.ts';
import { until } from '../runtime/support.ts';
import { ask, nextEvent } from './requests.ts';

const TOKEN = 'a-token-of-sixteen-or-more';
const PAYLOAD = '<img src=x onerror=alert(1)>';

const clicks = topic('clicks', { value: json<{ user: string; n: number }>(), partitions: 2 });
const raw = topic('clicks', { value: bytes(), partitions: 2 });
const byUser = topic('by-user', { key: string(), value: json<{ user: string; n: number }>() });
const sums = topic('sums', { key: string(), value: json<number>() });

let over: (() => Promise<void>)[] = [];
afterEach(async () => {
  const closing = over.reverse();
  over = [];
  for (const close of closing) await close();
});

async function start(dashboard: true | DashboardOptions = { port: 0 }) {
  const transport = memoryTransport();
  const client: Client = await connect({ transport });
  over.push(() => client.close());
  const pipeline = clicks.pipe(
    mapValues((click) => {
      if (click.n === 13) throw new Error('thirteen');
      return click;
    }),
    keyBy(({ user }) => user),
    through(byUser),
    windowBy(
      tumbling({ size: '1m', grace: '0s' }),
      agg.sum(({ n }) => n),
      { store: 'sums' },
    ),
    to(sums),
  );
  const app = run(pipeline, {
    applicationId: 'shop',
    transport,
    dashboard,
    onRecordError: deadLetter('bad'),
    logger: false,
  });
  over.push(() => app.stop());
  const served = await app.dashboard;
  await app.ready;
  return { app, client, url: served?.url ?? '' };
}

const click = (user: string, n: number, timestamp = 0) => ({ value: { user, n }, timestamp });
const bearer = { authorization: `Bearer ${TOKEN}` };
const acting = { ...bearer, 'x-millrace-action': '1', 'content-type': 'application/json' };

describe('a dashboard', () => {
  it('tells health, readiness, metrics and topology', async () => {
    const { app, url } = await start();
    expect(url).toMatch(/^http:\/\/localhost:\d+\/$/);
    expect(await ask(url, '/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    await until('readiness', () => app.snapshot().tasks.length === 4);
    expect(await ask(url, '/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
    const metrics = await ask(url, '/metrics');
    expect(metrics.headers['content-type']).toContain('version=0.0.4');
    expect(metrics.text).toContain('millrace_state{application="shop",state="running"} 1');
    expect(JSON.parse((await ask(url, '/topology.json')).text)).toEqual(app.graph);
    expect((await ask(url, '/topology.mmd')).text).toContain('flowchart LR');
    expect((await ask(url, '/topology.dot')).text).toContain('digraph');
    const svg = await ask(url, '/topology.svg');
    expect(svg.headers['content-type']).toBe('image/svg+xml; charset=utf-8');
    expect(svg.headers['content-security-policy']).toContain('sandbox');
  });

  it('streams figures, rates and events, and has a snapshot', async () => {
    const { app, client, url } = await start();
    const about = JSON.parse((await ask(url, '/api/about')).text) as About;
    expect(about).toMatchObject({ of: 'application', name: 'shop', acts: false, letterTopics: ['bad'] });
    expect(about.stores).toEqual([{ name: 'sums', stage: 'by-user' }]);
    expect(about.picture?.nodes.map(({ title }) => title)).toContain('windowBy(sums)');
    const flowing = nextEvent<Live>(url, '/api/live', 'live', ({ steps }) => {
      return (steps.find(({ step }) => step === 'windowBy(sums)')?.inPerSecond ?? 0) > 0;
    });
    await client.publishAll(clicks, [click('ada', 1), click('ada', 2), click('bob', 13)]);
    const flows = new AbortController();
    const fed = (async () => {
      for (let n = 0; !flows.signal.aborted; n += 1) {
        await client.publish(clicks, click('ada', n % 10, n));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const live = await flowing;
    flows.abort();
    await fed;
    expect(live.app).toMatchObject({ applicationId: 'shop', state: 'running' });
    expect(live.sources.map(({ partition, topic }) => [topic, partition])).toContainEqual(['clicks', [0, 1]]);
    const events = await nextEvent<readonly LiveEvent[]>(url, '/api/live', 'events', (all) =>
      all.some(({ level }) => level === 'warn'),
    );
    expect(events.map(({ message }) => message)).toContain('record sent to the dead-letter topic');
    const snapshot = JSON.parse((await ask(url, '/api/snapshot')).text) as { readonly recordsIn: number };
    expect(snapshot.recordsIn).toBeLessThanOrEqual(app.snapshot().recordsIn);
  });

  it('looks into state: a key with its windows, keys that begin alike, and all', async () => {
    const { app, client, url } = await start();
    await client.publishAll(clicks, [click('ada', 1), click('adele', 2, 1), click('bob', 3, 2)]);
    await until(
      'the windows',
      () => app.snapshot().steps.find(({ step }) => step === 'windowBy(sums)')?.recordsIn === 3,
    );
    const look = async (query: string) => JSON.parse((await ask(url, `/api/state?${query}`)).text) as StateAnswer;
    expect((await look('store=sums&key=ada')).rows).toEqual([
      expect.objectContaining({ key: '"ada"', value: '1', window: { start: 0, end: 60_000 } }),
    ]);
    expect((await look('store=sums&key=ad&prefix=1')).rows.map(({ key }) => key).sort()).toEqual(['"ada"', '"adele"']);
    expect((await look('store=sums&key=')).rows).toHaveLength(3);
    expect((await look('store=sums&key=zoe')).rows).toEqual([]);
    expect(await ask(url, '/api/state?store=nope&key=a')).toMatchObject({ status: 400 });
  });

  it('shows records at an edge while somebody looks, masked', async () => {
    const mask: NonNullable<DashboardOptions['mask']> = (value, { part }) => (part === 'value' ? '•••' : value);
    const { app, client, url } = await start({ port: 0, mask });
    const step = app.graph.stages
      .flatMap(({ steps }) => steps)
      .find(({ kind, name }) => kind === 'sink' && name === 'through(by-user)');
    const looking = new AbortController();
    const record = nextEvent<ShownRecord>(url, `/api/peek?step=${step?.id}&input=0`, 'record');
    const fed = (async () => {
      for (let n = 0; !looking.signal.aborted; n += 1) {
        await client.publish(clicks, click('ada', n % 10, n));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const shown = await record;
    looking.abort();
    await fed;
    expect(shown).toMatchObject({ key: '"ada"', value: '"•••"', topic: 'clicks' });
    await expect(nextEvent(url, '/api/peek?step=999', 'refused')).resolves.toContain('nothing is counted');
  });

  it('lists dead letters, and with a token replays them, once unless it is asked to do it again', async () => {
    const { app, client, url } = await start({ port: 0, token: TOKEN });
    const headers = [[PAYLOAD, new TextEncoder().encode(PAYLOAD)]] as const;
    await client.publish(raw, { value: new TextEncoder().encode(PAYLOAD), timestamp: 7, headers, partition: 1 });
    await until('the letter', () => app.snapshot().errors === 1 && app.snapshot().lag === 0);
    let letters: readonly ShownLetter[] = [];
    while (letters.length === 0) {
      letters = JSON.parse(
        (await ask(url, '/api/letters?topic=bad', { headers: bearer })).text,
      ) as readonly ShownLetter[];
    }
    expect(letters).toEqual([
      expect.objectContaining({
        code: 'ERR_DECODE',
        step: 'topic(clicks)',
        value: JSON.stringify(PAYLOAD),
        origin: { topic: 'clicks', partition: 1, offset: 0 },
        replayed: [],
        headers: [{ name: PAYLOAD, value: JSON.stringify(PAYLOAD) }],
      }),
    ]);
    const [letter] = letters;
    const body = JSON.stringify({ topic: 'bad', partition: letter?.partition, offset: letter?.offset });
    const done = await ask(url, '/api/replay', { method: 'POST', headers: acting, body });
    expect(JSON.parse(done.text)).toMatchObject({ topic: 'clicks', partition: 1, offset: 1, timestamp: 7 });
    // It is what it was, so it fails again.
    await until('it to fail again', () => app.snapshot().errors === 2);
    const stale = await ask(url, '/api/replay', { method: 'POST', headers: acting, body });
    expect([stale.status, stale.text]).toEqual([409, expect.stringContaining('ERR_REPLAYED')]);
    // The command knows of it, and the page of what the command does.
    const command = await LetterReplay.of(client, 'bad', { to: 'copy' });
    const found = (await letterAt(client, 'bad', letter as ShownLetter)) as FoundLetter;
    expect(await (await LetterReplay.of(client, 'bad')).fateOf(found)).toMatchObject({ code: 'ERR_REPLAYED' });
    await client.topics.create('copy');
    await command.send([{ found, fate: (await command.fateOf(found)) as Sending['fate'] }]);
    await command.end();
    const listed = await ask(url, '/api/letters?topic=bad', { headers: bearer });
    expect(JSON.parse(listed.text)).toContainEqual(
      expect.objectContaining({ offset: letter?.offset, replayed: ['clicks', 'copy'] }),
    );
    const again = JSON.stringify({ ...(JSON.parse(body) as object), again: true });
    expect((await ask(url, '/api/replay', { method: 'POST', headers: acting, body: again })).status).toBe(200);
    // A letter, but not in a topic for letters of this application.
    await client.publish(topic('elsewhere', { value: bytes(), partitions: 1 }), {
      value: new TextEncoder().encode(PAYLOAD),
      headers: found.record.headers,
    });
    for (const wrong of [
      { topic: 'sums', partition: 0, offset: 0 },
      { topic: 'elsewhere', partition: 0, offset: 0 },
      { topic: 'bad', partition: 0, offset: 99 },
    ]) {
      const refused = await ask(url, '/api/replay', { method: 'POST', headers: acting, body: JSON.stringify(wrong) });
      expect(refused.status).toBe(409);
      expect(refused.text).toContain('ERR_NO_LETTER');
    }
    expect((await ask(url, '/api/replay', { method: 'POST', headers: acting, body: '{}' })).status).toBe(400);
  });

  it('replays a letter once for two clicks at the same time', async () => {
    const { app, client, url } = await start({ port: 0, token: TOKEN });
    await client.publish(raw, { value: new TextEncoder().encode(PAYLOAD), timestamp: 7, partition: 1 });
    await until('the letter', () => app.snapshot().errors === 1 && app.snapshot().lag === 0);
    const body = JSON.stringify({ topic: 'bad', partition: 0, offset: 0 });
    const clicked = () => ask(url, '/api/replay', { method: 'POST', headers: acting, body });
    const statuses = (await Promise.all([clicked(), clicked(), clicked()])).map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
  });

  it('shows nothing of a record that is masked, also where a failure quotes it', async () => {
    const { app, client, url } = await start({ port: 0, mask: () => '•••' });
    await client.publish(raw, { key: null, value: new TextEncoder().encode('{"secret'), timestamp: 7 });
    await until('the letter', () => app.snapshot().errors === 1 && app.snapshot().lag === 0);
    let letters = '[]';
    while (letters === '[]') letters = (await ask(url, '/api/letters?topic=bad')).text;
    const events = await nextEvent<readonly LiveEvent[]>(url, '/api/live', 'events', (all) =>
      all.some(({ level }) => level === 'warn'),
    );
    for (const text of [letters, JSON.stringify(events)]) {
      expect(text).toContain('masked');
      expect(text).not.toContain('secret');
      expect(text).not.toContain(Buffer.from('secret').toString('hex'));
    }
  });

  it('shows nothing of a masked record that the application fails with', async () => {
    const transport = memoryTransport();
    const client = await connect({ transport });
    over.push(() => client.close());
    const refusing = clicks.pipe(
      mapValues((click) => {
        throw new Error(`no place for ${click.user}`);
      }),
      to(topic('copy', { value: json() })),
    );
    const dashboard = { port: 0, mask: () => '•••' };
    const app = run(refusing, { applicationId: 'failing', transport, dashboard, logger: false });
    const failed = app.done.catch((error: Error) => error.message);
    const url = (await app.dashboard)?.url ?? '';
    await app.ready;
    let listens: () => void = () => undefined;
    // Before that nobody would hear of the failure, with which the page ends.
    const listening = new Promise<void>((resolve) => (listens = resolve));
    const last = nextEvent<Live>(url, '/api/live', 'live', ({ app: { state } }) => {
      listens();
      return state === 'failed';
    });
    await listening;
    // The snapshot is told as long as the page is served: what it says is what the stream says.
    const asked: Promise<string>[] = [];
    const asking = setInterval(
      () =>
        asked.push(
          ask(url, '/api/snapshot').then(
            ({ text }) => text,
            () => '',
          ),
        ),
      5,
    );
    await client.publish(clicks, { value: { user: 'secret', n: 1 }, partition: 0 });
    expect(await failed).toContain('secret');
    const live = await last;
    clearInterval(asking);
    expect(live.app.error).toMatchObject({
      code: 'ERR_USER_CODE',
      message: expect.stringContaining('masked') as string,
    });
    expect(JSON.stringify([live, ...(await Promise.all(asked))])).not.toContain('secret');
  });

  it('ends with its application, and keeps no process alive', async () => {
    const servers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
    const before = servers();
    const { app, url } = await start();
    await app.stop();
    await until('the server to be closed', () => servers() <= before);
    await expect(ask(url, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('leaves an application alone when its port is taken', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    const transport = memoryTransport();
    const app = run(clicks.pipe(to(topic('copy', { value: json() }))), {
      applicationId: 'other',
      transport,
      dashboard: { port },
      logger: false,
    });
    await expect(app.dashboard).rejects.toMatchObject({ code: 'ERR_DASHBOARD' });
    await app.ready;
    expect(app.snapshot().state).toBe('running');
    await app.stop();
  });

  it('refuses options that would open it to others, or are wrong', () => {
    const go = (dashboard: DashboardOptions) => () =>
      run(clicks, { applicationId: 'x', transport: memoryTransport(), dashboard });
    expect(go({ host: '0.0.0.0' })).toThrow(/no token/);
    expect(go({ token: 'short' })).toThrow(/too short/);
    expect(go({ port: 70_000 })).toThrow(/port/);
    expect(go({ prot: 1 } as never)).toThrow(/did you mean port/);
  });
});

describe('an attack', () => {
  it('by DNS rebinding is refused: names that are not ours are not answered', async () => {
    const { url } = await start({ port: 0, allowedHosts: ['streams.example.org'] });
    for (const host of ['evil.example:80', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      for (const path of ['/', '/healthz', '/metrics', '/api/about', '/api/live']) {
        expect((await ask(url, path, { headers: { host } })).status, `${host} ${path}`).toBe(421);
      }
    }
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:9', '[::1]:9', 'streams.example.org:443']) {
      expect((await ask(url, '/healthz', { headers: { host } })).status, host).toBe(200);
    }
  });

  it('from another site is refused, whether it reads or acts', async () => {
    const { url } = await start({ port: 0, token: TOKEN });
    const host = new URL(url).host;
    const body = JSON.stringify({ topic: 'bad', partition: 0, offset: 0 });
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const all = { ...acting, ...headers };
      expect((await ask(url, '/api/replay', { method: 'POST', headers: all, body })).status).toBe(403);
      expect((await ask(url, '/api/about', { headers: { ...bearer, ...headers } })).status).toBe(403);
    }
    // Without the header, or as a form: what a page of another site can send at all.
    const { 'x-millrace-action': _, ...plain } = acting;
    expect((await ask(url, '/api/replay', { method: 'POST', headers: plain, body })).status).toBe(403);
    const form = { ...acting, 'content-type': 'text/plain' };
    expect((await ask(url, '/api/replay', { method: 'POST', headers: form, body })).status).toBe(403);
    const ours = { ...acting, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect((await ask(url, '/api/replay', { method: 'POST', headers: ours, body })).status).toBe(409);
    const answer = await ask(url, '/api/about', { headers: bearer });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('without the token is refused, and the token leaves the address', async () => {
    const { url } = await start({ port: 0, token: TOKEN });
    expect((await ask(url, '/healthz')).status).toBe(200);
    for (const path of ['/', '/metrics', '/api/snapshot', '/api/letters?topic=bad', '/topology.json']) {
      expect((await ask(url, path)).status, path).toBe(401);
      expect((await ask(url, path, { headers: { authorization: `Bearer ${TOKEN}x` } })).status, path).toBe(401);
    }
    expect((await ask(url, '/?token=wrong-token-of-sixteen')).status).toBe(401);
    const welcome = await ask(url, `/?token=${TOKEN}`);
    expect(welcome).toMatchObject({ status: 303, headers: { location: '/' } });
    const [cookie = ''] = welcome.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict; Path=\/$/);
    expect((await ask(url, '/api/snapshot', { headers: { cookie: cookie.split(';')[0] ?? '' } })).status).toBe(200);
  });

  it('that acts on a dashboard without a token is refused', async () => {
    const { url } = await start();
    const headers = { 'x-millrace-action': '1', 'content-type': 'application/json' };
    const refused = await ask(url, '/api/replay', { method: 'POST', headers, body: '{}' });
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.text).toContain('read-only');
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      expect((await ask(url, '/api/about', { method })).status, method).toBe(405);
    }
  });

  it('by connections that ask nothing does not keep others from asking for the health', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const silent = Array.from({ length: 128 }, () => connectTo(Number(port), '127.0.0.1'));
    over.push(async () => silent.forEach((socket) => socket.destroy()));
    for (const socket of silent) socket.on('error', () => undefined);
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const health = (): Promise<number> =>
      ask(url, '/healthz').then(
        ({ status }) => status,
        () => 0,
      );
    expect(await health()).toBe(0);
    await expect.poll(health, { timeout: 20_000, interval: 200 }).toBe(200);
    // What is asked of streams without reading them has an end.
    expect((await ask(url, '/api/live', { method: 'HEAD' })).status).toBe(200);
  });

  it('by more streams than there are places for keeps no connections', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const reading = Array.from({ length: 24 }, () => connectTo(Number(port), '127.0.0.1'));
    over.push(async () => reading.forEach((socket) => socket.destroy()));
    for (const socket of reading) socket.write('GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(reading.map((socket) => once(socket, 'data')));
    const refused = await ask(url, '/api/live', { headers: { connection: 'keep-alive' } });
    expect([refused.status, refused.headers.connection]).toEqual([503, 'close']);
  });

  it('by path traversal finds nothing', async () => {
    const { url } = await start();
    const paths = [
      '/../package.json',
      '/../../../../etc/passwd',
      '/%2e%2e/%2e%2e/package.json',
      '/page.js/../../../../package.json',
      '/..%2fpackage.json',
      '/page.html',
      '/constructor',
      '/__proto__',
      '/topology.constructor',
    ];
    for (const path of paths) expect((await ask(url, path)).status, path).toBe(404);
    for (const path of ['//evil.example/', 'http://evil.example/']) {
      expect([400, 404, 421]).toContain((await ask(url, path)).status);
    }
  });

  it('by HTML in keys, values and headers stays text', async () => {
    const { client, url } = await start();
    await client.publish(clicks, click(PAYLOAD, 1));
    const answer = await ask(url, '/api/state?store=sums&key=');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
  });
});
