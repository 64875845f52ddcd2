import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface FakeRequest {
  readonly key: number;
  readonly version: number;
  readonly correlationId: number;
  readonly socket: Socket;
  /** What follows the header. */
  readonly payload: Buffer;
}

/** A service that answers like a broker, or like whatever a test wants. */
export interface FakeBroker {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

/** A frame with its length, around an answer. */
export function answerFrame(correlationId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + payload.length);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, payload]);
}

/** The answer to ApiVersions version 2 of a broker that knows everything. */
export function apiVersions(): Buffer {
  // What is answered to Fetch and to Metadata is said in these versions.
  const keys = Array.from({ length: 60 }, (_, key) => [key, 0, key === 1 ? 11 : key === 3 ? 7 : 12]);
  const bytes = Buffer.alloc(2 + 4 + keys.length * 6 + 4);
  bytes.writeInt32BE(keys.length, 2);
  keys.flat().forEach((value, index) => void bytes.writeInt16BE(value, 6 + index * 2));
  return bytes;
}

async function listen(onSocket: (socket: Socket) => void, at = 0): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers the first bytes of each connection with some bytes, or does something else with it. */
export const fakeService = (answer: (socket: Socket) => void, at?: number): Promise<FakeBroker> =>
  listen((socket) => socket.once('data', () => answer(socket)), at);

/** Answers ApiVersions; every other request goes to `answer`. */
export function fakeBroker(answer: (request: FakeRequest) => void): Promise<FakeBroker> {
  return listen((socket) => {
    let held = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const size = 4 + held.readInt32BE(0);
        const [key, version, correlationId] = [held.readInt16BE(4), held.readInt16BE(6), held.readInt32BE(8)];
        const payload = held.subarray(14 + Math.max(held.readInt16BE(12), 0), size);
        held = held.subarray(size);
        if (key === 18) socket.write(answerFrame(correlationId, apiVersions()));
        else answer({ key, version, correlationId, socket, payload });
      }
    });
  });
}
