import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { LiveStreams } from './live-stream.ts';

it('holds little for a client that does not read, and gives it up', async () => {
  const streams = new LiveStreams();
  const held: { response?: ServerResponse } = {};
  const server = createServer((_request, response) => {
    held.response = response;
    streams.open(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  while (streams.size === 0) await new Promise((resolve) => setImmediate(resolve));
  const message = JSON.stringify('x'.repeat(256 * 1024));
  let most = 0;
  for (let sent = 0; sent < 1000 && held.response?.destroyed !== true; sent += 1) {
    streams.send('live', message);
    most = Math.max(most, held.response?.writableLength ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(held.response?.destroyed).toBe(true);
  // What may wait, and one message.
  expect(most).toBeLessThan(1_000_000);
  socket.destroy();
  server.close();
});
