import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { SocketRequest } from './kafkajs-types.ts';

/** A socket that ends with an error as soon as the other side turns out to speak something else than Kafka. */
export function openSocket({ host, port, onConnect }: SocketRequest, ssl: ConnectionOptions | undefined): Socket {
  const socket =
    ssl === undefined
      ? connectPlain({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  // The first bytes tell whether it is Kafka at all: as a length they would make kafkajs wait for gigabytes.
  socket.once('data', (bytes: Buffer) => {
    const speaks =
      bytes.subarray(0, 4).toString('latin1') === 'HTTP' ? 'HTTP' : bytes[0] === 0x15 && bytes[1] === 3 ? 'TLS' : '';
    if (speaks !== '')
      socket.destroy(Object.assign(new Error(`it speaks ${speaks}`), { code: `ERR_SPEAKS_${speaks}` }));
  });
  return socket;
}
