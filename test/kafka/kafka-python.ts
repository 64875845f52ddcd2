import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pythonWithKafka } from '../../scripts/kafka/python.ts';
import type { Compression } from '../../src/protocol/compression.ts';

/** How Python makes bytes of values, and values of bytes. With `bytes` they are hexadecimal here. */
export type PythonValues = 'bytes' | 'json' | 'msgpack';

/** A record for kafka-python, which knows no headers without a value; keys and values of headers in hexadecimal. */
export interface PythonRecord {
  readonly key?: string | null;
  readonly value: unknown;
  readonly timestamp?: number;
  readonly headers?: readonly (readonly [string, string | null])[];
  readonly partition?: number;
}

/** A Python process with kafka-python that does what it is told, one thing after the other. */
export class KafkaPython {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  private constructor(python: string, brokers: readonly string[]) {
    const script = fileURLToPath(new URL('./python/client.py', import.meta.url));
    this.#process = spawn(python, [script, brokers.join(',')], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  static async start(brokers: readonly string[]): Promise<KafkaPython> {
    return new KafkaPython(await pythonWithKafka(), brokers);
  }

  /** Where each record went, in the order given. */
  produce(
    topic: string,
    records: readonly PythonRecord[],
    options: { readonly values?: PythonValues; readonly compression?: Compression } = {},
  ): Promise<readonly { readonly partition: number; readonly offset: number }[]> {
    const compression = options.compression === 'none' ? null : options.compression;
    return this.#ask({ do: 'produce', topic, records, ...options, compression });
  }

  /** So many records of partition 0, from an offset on. */
  consume(
    topic: string,
    count: number,
    options: { readonly values?: PythonValues; readonly offset?: number } = {},
  ): Promise<readonly Required<Omit<PythonRecord, 'partition'>>[]> {
    return this.#ask({ do: 'consume', topic, count, ...options });
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.stdin.end();
    await ended;
  }

  async #ask<T>(command: object): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`Python has ended: ${this.#errors.slice(-2000)}`);
    const { error, result } = JSON.parse(value) as { readonly error?: string; readonly result: T };
    if (error !== undefined) throw new Error(`kafka-python: ${error}\n${this.#errors.slice(-2000)}`);
    return result;
  }
}
