import { NOT_KAFKA, type Speaker, whatAnswers } from './what-answers.ts';

const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;

/** Bytes that are not a frame of Kafka's protocol, or an unexpected frame. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
  /** What seems to have answered instead; `undefined` after a valid Kafka response. */
  readonly speaker: Speaker | undefined;

  constructor(message: string, speaker?: Speaker) {
    super(message);
    this.speaker = speaker;
  }
}

export interface FrameHandlers {
  /** Called with a complete response, which owns its bytes. */
  readonly frame: (correlationId: number, payload: Buffer) => void;
  /** Called once; nothing can be read after this. */
  readonly bad: (error: BadFrame) => void;
}

/**
 * Splits received data into frames. A length is checked before memory is allocated for it, so that a service other than
 * a broker cannot cause large allocations.
 */
export class FrameReader {
  /** The longest accepted frame, without its length field. */
  maxBytes: number;
  /** All bytes received so far, to detect progress. */
  received = 0;
  readonly #handlers: FrameHandlers;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #frame: Buffer | undefined;
  #filled = 0;
  #frames = 0;
  #ended = false;

  constructor(maxBytes: number, handlers: FrameHandlers) {
    this.maxBytes = maxBytes;
    this.#handlers = handlers;
  }

  /** Describes an incomplete response. */
  get unfinished(): string | undefined {
    if (this.#frame !== undefined) return `after ${this.#filled} of ${this.#frame.length} bytes of an answer`;
    return this.#lengthFilled > 0 ? `after ${this.#lengthFilled} bytes of an answer` : undefined;
  }

  read(chunk: Buffer): void {
    this.received += chunk.length;
    for (let at = 0; at < chunk.length && !this.#ended; ) {
      const start = at;
      if (this.#frame === undefined) {
        at += chunk.copy(this.#length, this.#lengthFilled, at, at + LENGTH_BYTES - this.#lengthFilled);
        this.#lengthFilled += at - start;
        if (this.#lengthFilled === LENGTH_BYTES) this.#begin(chunk.subarray(at));
      } else {
        at += chunk.copy(this.#frame, this.#filled, at);
        this.#filled += at - start;
        if (this.#filled === this.#frame.length) this.#finish(this.#frame);
      }
    }
  }

  /** @param rest - Bytes that arrived with the length: they may reveal what has answered. */
  #begin(rest: Buffer): void {
    const length = this.#length.readInt32BE(0);
    if (length >= CORRELATION_BYTES && length <= this.maxBytes) {
      this.#frame = Buffer.allocUnsafeSlow(length);
      this.#filled = 0;
      return;
    }
    const what = `a frame of ${length} bytes, where ${CORRELATION_BYTES} to ${this.maxBytes} can be`;
    if (this.#frames > 0) return this.#bad(new BadFrame(what));
    this.#bad(new BadFrame(what, whatAnswers(Buffer.concat([this.#length, rest.subarray(0, 64)]))));
  }

  #finish(frame: Buffer): void {
    this.#frame = undefined;
    this.#lengthFilled = 0;
    this.#frames++;
    try {
      this.#handlers.frame(frame.readInt32BE(0), frame.subarray(CORRELATION_BYTES));
    } catch (error) {
      // An error here must not end the process, only the connection.
      this.#bad(new BadFrame((error as Error).message, this.#frames === 1 ? NOT_KAFKA : undefined));
    }
  }

  #bad(error: BadFrame): void {
    this.#ended = true;
    this.#frame = undefined;
    this.#handlers.bad(error);
  }
}
