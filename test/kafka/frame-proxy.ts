import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a proxy does with a request: it lets it pass; or it cuts the connection, and the request arrives when told so. */
export type Verdict = 'pass' | 'cut';

/** A request that was held back. */
export interface Held {
  /** Lets it arrive, and resolves with the answer of the broker, which nobody else gets. */
  release(): Promise<Buffer>;
}

/** Decides on a request by the number of its kind. The connection waits for it. */
export type Judge = (apiKey: number) => Verdict | Promise<Verdict>;

/** Stands between a client and a broker and sees requests whole, by the number of their kind. */
export class FrameProxy {
  readonly held: Held[] = [];
  readonly #judge: Judge;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(to: { readonly host: string; readonly port: number }, judge: Judge) {
    this.#judge = judge;
    this.#server = createServer((client) => this.#join(client, connect(to)));
  }

  static async start(to: { readonly host: string; readonly port: number }, judge: Judge): Promise<FrameProxy> {
    const proxy = new FrameProxy(to, judge);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, broker: Socket): void {
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let rest = Buffer.alloc(0);
    let cut = false;
    broker.on('data', (bytes) => {
      if (!cut) client.write(bytes);
    });
    broker.on('close', () => client.destroy());
    client.on('close', () => {
      if (!cut) broker.destroy();
    });
    const pump = async (): Promise<void> => {
      while (!cut && rest.length >= 6 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(0, 4 + rest.readInt32BE(0));
        rest = rest.subarray(frame.length);
        if ((await this.#judge(frame.readInt16BE(4))) === 'pass') {
          broker.write(frame);
          continue;
        }
        cut = true;
        client.destroy();
        this.held.push({
          release: () =>
            new Promise((resolve) => {
              broker.once('data', resolve);
              broker.write(frame);
            }),
        });
      }
    };
    let pumped = Promise.resolve();
    client.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      pumped = pumped.then(pump);
    });
  }
}
