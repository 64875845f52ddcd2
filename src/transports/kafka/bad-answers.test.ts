import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { MillraceError } from '../../errors.ts';
import { Cluster } from './cluster.ts';
import { answerFrame, apiVersions, type FakeBroker, fakeBroker, fakeService } from './fake-broker.fixtures.ts';
import { kafkaSettings } from './options.ts';
import { metadataApi } from './wire/metadata.ts';

const clusters: Cluster[] = [];
const brokers: FakeBroker[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) cluster.close();
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

function client(
  broker: FakeBroker,
  options: { readonly requestTimeoutMs?: number; readonly connectTimeoutMs?: number } = {},
): Cluster {
  brokers.push(broker);
  const cluster = new Cluster(kafkaSettings({ brokers: [broker.address], connectTimeoutMs: 1500, ...options }));
  clusters.push(cluster);
  return cluster;
}

async function refusal(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) throw new Error('it worked');
  return error as MillraceError;
}

/** A length in front of some bytes. */
function claim(length: number, ...bytes: number[]): Buffer {
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeInt32BE(length);
  frame.set(bytes, 4);
  return frame;
}

describe('a service that is no broker', () => {
  it.each<[string, Buffer | string, string, string]>([
    ['a length below zero', claim(-1), 'ERR_NOT_KAFKA', 'a frame of -1 bytes'],
    ['the lowest length', claim(-(2 ** 31)), 'ERR_NOT_KAFKA', 'a frame of -2147483648 bytes'],
    ['no length', claim(0), 'ERR_NOT_KAFKA', 'a frame of 0 bytes'],
    ['a length without room for a number', claim(3, 1, 2, 3), 'ERR_NOT_KAFKA', 'a frame of 3 bytes'],
    ['a length beyond all answers', claim(2 ** 31 - 1, 0, 0), 'ERR_NOT_KAFKA', 'a frame of 2147483647 bytes'],
    ['a long answer before the handshake', claim(1_000_000), 'ERR_NOT_KAFKA', 'a frame of 1000000 bytes'],
    ['a number that was not asked for for', answerFrame(77, apiVersions()), 'ERR_NOT_KAFKA', 'number 77'],
    ['an empty answer', answerFrame(0, Buffer.alloc(0)), 'ERR_NOT_KAFKA', 'cannot be read'],
    ['more versions than there are bytes', answerFrame(0, claim(0, 0xff, 0xff, 1)), 'ERR_NOT_KAFKA', 'cannot be read'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'ERR_NOT_KAFKA', 'speaks HTTP'],
    ['a page', '<!DOCTYPE html><p>', 'ERR_NOT_KAFKA', 'speaks HTTP'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'ERR_NOT_KAFKA', 'speaks SSH'],
    ['telnet', Buffer.from([0xff, 0xfd, 0x18, 0xff, 0xfd, 0x20]), 'ERR_NOT_KAFKA', 'speaks telnet'],
    ['a mail server', '220 mail.example ESMTP\r\n', 'ERR_NOT_KAFKA', '220 mail.example ESMTP'],
    ['Redis', '-ERR unknown command\r\n', 'ERR_NOT_KAFKA', '-ERR unknown command'],
    ['an alert of TLS', Buffer.from([0x15, 3, 3, 0, 2, 2, 40]), 'ERR_TLS_REQUIRED', 'speaks TLS'],
  ])('%s', async (_, bytes, code, text) => {
    const broker = await fakeService((socket) => socket.write(bytes));
    const error = await refusal(client(broker).connect());
    expect(error).toMatchObject({ code, errorClass: 'config' });
    expect(error.message).toContain(broker.address);
    expect(error.message).toContain(text);
  });

  it('is recognised when its answer comes in single bytes', async () => {
    const broker = await fakeService((socket) => {
      socket.setNoDelay(true);
      for (const letter of 'HTTP/1.1 400') setImmediate(() => socket.write(letter));
    });
    expect(await refusal(client(broker).connect())).toMatchObject({ code: 'ERR_NOT_KAFKA' });
  });

  it('costs no memory, however much it sends', async () => {
    const chunk = Buffer.alloc(1 << 16);
    let sent = 0;
    const pour = (socket: Socket): void => {
      while (!socket.destroyed && sent < 1 << 28) {
        sent += chunk.length;
        if (!socket.write(chunk)) break;
      }
    };
    const broker = await fakeService((socket) => {
      socket.write(claim(2 ** 31 - 1));
      socket.on('drain', () => pour(socket));
      pour(socket);
    });
    expect(await refusal(client(broker).connect())).toMatchObject({ code: 'ERR_NOT_KAFKA' });
    expect(sent).toBeLessThan(1 << 27);
  });

  it.each([
    ['before any byte', (socket: Socket) => socket.end(), 'closed the connection'],
    ['within a length', (socket: Socket) => socket.end(Buffer.from([0, 0])), 'after 2 bytes of an answer'],
    ['within an answer', (socket: Socket) => socket.end(claim(100, 0, 0, 0, 0, 1)), 'after 5 of 100 bytes'],
  ])('that hangs up %s may be a broker that starts', async (_, hangUp, text) => {
    const error = await refusal(client(await fakeService(hangUp), { connectTimeoutMs: 300 }).connect());
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', errorClass: 'retriable-exhausted' });
    expect(error.message).toContain(text);
  });
});

describe('a broker whose answers go wrong', () => {
  const garbage: [string, (id: number, socket: Socket) => void, string][] = [
    ['a length below zero', (_, socket) => socket.write(claim(-5)), 'a frame of -5 bytes'],
    ['a length without room for a number', (_, socket) => socket.write(claim(2, 1, 1)), 'a frame of 2 bytes'],
    ['a length beyond all answers', (_, socket) => socket.write(claim(0x7000_0000)), 'a frame of 1879048192 bytes'],
    [
      'a number that was not asked for for',
      (id, socket) => socket.write(answerFrame(id + 9, apiVersions())),
      'was not asked for',
    ],
    ['text', (_, socket) => socket.write('HTTP/1.1 503 Service Unavailable\r\n\r\n'), 'a frame of 1213486160 bytes'],
    ['an end within an answer', (_, socket) => socket.end(claim(50, 1, 2)), 'after 2 of 50 bytes of an answer'],
    ['no answer but an end', (_, socket) => socket.end(), 'closed the connection'],
    ['an answer that is too short', (id, socket) => socket.write(answerFrame(id, Buffer.alloc(3))), 'makes no sense'],
    [
      'more items than there are bytes',
      (id, socket) => socket.write(answerFrame(id, claim(0, 0x7f, 0xff, 0xff, 0xff))),
      '2147483647 items',
    ],
    [
      'a text of a length below null',
      (id, socket) => socket.write(answerFrame(id, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0]))),
      'a length of -32768',
    ],
    [
      'a partition with a number that none has',
      (id, socket) => {
        const head = [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 116, 0, 0, 0, 0, 1];
        const lists = Array<number>(12).fill(0);
        const bytes = [...head, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, ...lists];
        socket.write(answerFrame(id, Buffer.from(bytes)));
      },
      'a partition 2147483647',
    ],
  ];

  it.each(garbage)('with %s is asked again elsewhere or later', async (_, answer, text) => {
    const broker = await fakeBroker(({ correlationId, socket }) => answer(correlationId, socket));
    const error = await refusal(client(broker).metadata([]));
    expect(error).toMatchObject({ code: 'ERR_CONNECTION', errorClass: 'retriable' });
    expect(error.message).toContain(broker.address);
    expect(error.message).toContain(text);
  });

  it('is used again on a new connection', async () => {
    let asked = 0;
    const broker = await fakeBroker(({ correlationId, socket }) => {
      asked += 1;
      if (asked === 1) socket.write(claim(-1));
      else socket.write(answerFrame(correlationId, Buffer.alloc(18)));
    });
    const cluster = client(broker);
    await refusal(cluster.metadata([]));
    expect(await cluster.metadata([])).toMatchObject({ nodes: [], topics: [] });
  });

  it('loses an idle connection by a frame that was not asked for for, and nothing else', async () => {
    const sockets = new Set<Socket>();
    const broker = await fakeBroker(({ correlationId, socket }) => {
      sockets.add(socket);
      socket.write(answerFrame(correlationId, Buffer.alloc(18)));
    });
    const cluster = client(broker);
    await cluster.metadata([]);
    const [first] = sockets;
    const closed = new Promise((resolve) => first?.once('close', resolve));
    first?.write(claim(2, 1, 1));
    await closed;
    await cluster.metadata([]);
    expect(sockets.size).toBe(2);
  });

  it('is not taken for another service once it has been a broker', async () => {
    let web = false;
    const broker = await fakeBroker(({ correlationId, socket }) => {
      web = true;
      socket.write(answerFrame(correlationId, Buffer.alloc(18)));
      socket.end();
    });
    const cluster = client(broker);
    await cluster.metadata([]);
    expect(web).toBe(true);
    await broker.close();
    brokers.splice(0);
    const impostor = await fakeService(
      (socket) => socket.write('HTTP/1.1 503 Service Unavailable\r\n\r\n'),
      broker.port,
    );
    brokers.push(impostor);
    let error = await refusal(cluster.metadata([]));
    // The end of the connection before is noticed first.
    while (!error.message.includes('speaks')) error = await refusal(cluster.metadata([]));
    expect(error).toMatchObject({ code: 'ERR_CONNECTION', errorClass: 'retriable' });
    expect(error.message).toContain('speaks HTTP');
  });
});

describe('the time that a request may take', () => {
  it('is not over before what came in is read, also after the event loop was blocked', async () => {
    const broker = await fakeBroker(({ correlationId, socket }) => {
      socket.write(answerFrame(correlationId, Buffer.alloc(18)));
    });
    const cluster = client(broker, { requestTimeoutMs: 100 });
    await cluster.metadata([]);
    const answer = cluster.ask(metadataApi, { topics: [] });
    // The request goes out, the answer comes in, and then nothing is read for longer than it may take.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 300;
    while (performance.now() < end);
    await expect(answer).resolves.toMatchObject({ nodes: [] });
  });

  it('is over when no answer came', async () => {
    const broker = await fakeBroker(() => undefined);
    const error = await refusal(client(broker, { requestTimeoutMs: 50 }).metadata([]));
    expect(error).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', errorClass: 'retriable' });
  });
});
