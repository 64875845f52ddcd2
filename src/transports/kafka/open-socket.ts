import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { SocketRequest } from './kafkajs-types.ts';

/** A socket to a broker, with or without TLS. */
export function openSocket({ host, port, onConnect }: SocketRequest, ssl: ConnectionOptions | undefined): Socket {
  const socket =
    ssl === undefined
      ? connectPlain({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
}
