import { type Client, MillraceError, type Target } from '../index.ts';
import type { EnvelopeRecord } from './envelope.ts';
import { inWords, spansOf, spansWithout } from './line-spans.ts';

/** The most records, and their most bytes, that may wait for acknowledgement before more lines are read. */
const IN_FLIGHT = 10_000;
const IN_FLIGHT_BYTES = 32 * 1024 * 1024;

type Raw = Uint8Array | null;

/** Publishes the records of lines and tracks the outcome of each line. */
export class LineSender {
  readonly #client: Client;
  readonly #topic: Target<Raw, Raw>;
  readonly #failures = new Map<number, unknown>();
  #waiting = 0;
  #waitingBytes = 0;
  #wake: (() => void) | undefined;
  #last = 0;
  written = 0;

  constructor(client: Client, topic: Target<Raw, Raw>) {
    this.#client = client;
    this.#topic = topic;
  }

  /** The lines whose records were not written, or possibly not, with the reason. */
  get failures(): ReadonlyMap<number, unknown> {
    return this.#failures;
  }

  /** Resolves when there is room for more. Call it with lines in order. */
  async send(line: number, record: EnvelopeRecord): Promise<void> {
    this.#last = line;
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    const settled = (): void => {
      this.#waiting -= 1;
      this.#waitingBytes -= bytes;
      if (this.#hasRoom() || this.#waiting === 0) this.#wake?.();
    };
    this.#client.publish(this.#topic, record).then(
      () => {
        this.written += 1;
        settled();
      },
      (error: unknown) => {
        if (!this.#failures.has(line)) this.#failures.set(line, error);
        settled();
      },
    );
    while (!this.#hasRoom()) await this.#change();
  }

  /** Resolves when the outcome of every record is known. */
  async settled(): Promise<void> {
    while (this.#waiting > 0) await this.#change();
  }

  /** After a failure, once everything is settled: which lines are written, and where to continue. */
  whatIsWritten(): string {
    const failed = [...this.#failures.keys()].sort((a, b) => a - b);
    const [first = this.#last + 1] = failed;
    const written = spansWithout(this.#last, failed);
    const doubtful = spansOf(failed.filter((line) => mayBeWritten(this.#failures.get(line))));
    // Lines that were in flight after the failed one are written nonetheless.
    const behind = written.some(([start]) => start > first);
    return [
      ...(written.length === 0 ? [] : [inWords(written)]),
      ...(doubtful.length === 0 ? [] : [`${inWords(doubtful)} may be written too`]),
      behind
        ? `write ${inWords(spansOf(failed))} again, and continue with line ${this.#last + 1}`
        : `continue with line ${first}`,
    ].join('; ');
  }

  #hasRoom(): boolean {
    return this.#waiting < IN_FLIGHT && this.#waitingBytes < IN_FLIGHT_BYTES;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function mayBeWritten(error: unknown): boolean {
  return !(error instanceof MillraceError) || error.written !== 'no';
}
