import type { ServerResponse } from 'node:http';

/** The most bytes that may wait for a slow client; beyond that nothing is written to it. */
const MAX_WAITING = 512 * 1024;
/** A client that has not read for this many messages is disconnected. */
const MAX_SKIPPED = 15;
/** The most open streams. */
const MAX_STREAMS = 24;

/**
 * Event streams to browsers (SSE). A client that does not read misses messages; it delays nobody and takes no memory.
 */
export class LiveStreams {
  readonly #open = new Set<LiveStream>();

  get size(): number {
    return this.#open.size;
  }

  /** @returns `undefined` if there are too many. */
  open(response: ServerResponse, closed: () => void = () => {}): LiveStream | undefined {
    if (this.#open.size >= MAX_STREAMS) return undefined;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    const stream = new LiveStream(response);
    this.#open.add(stream);
    response.once('close', () => {
      this.#open.delete(stream);
      closed();
    });
    return stream;
  }

  send(event: string, json: string): void {
    for (const stream of this.#open) stream.send(event, json);
  }

  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

/** One stream of events. */
export class LiveStream {
  readonly #response: ServerResponse;
  #skipped = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.write('retry: 2000\n\n');
  }

  /** Whether the client has unread data. */
  get isBehind(): boolean {
    return this.#response.writableLength > MAX_WAITING;
  }

  /** @param json - One line. */
  send(event: string, json: string): void {
    if (this.#response.destroyed) return;
    if (this.isBehind) {
      this.#skipped += 1;
      if (this.#skipped > MAX_SKIPPED) this.#response.destroy();
      return;
    }
    this.#skipped = 0;
    this.#response.write(`event: ${event}\ndata: ${json}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}
