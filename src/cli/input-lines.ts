import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { ConfigError } from '../index.ts';

/**
 * The lines of a stream as bytes, without the final `\n` or `\r\n`; bytes that are not text pass unchanged. It ends
 * when the signal is aborted, without an incomplete line.
 */
export async function* inputLines(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = (): void => void input.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let begun: Buffer[] = [];
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        const rest = chunk.subarray(start, end);
        const line = begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
        begun = [];
        start = end + 1;
        yield withoutReturn(line);
      }
      if (start < chunk.length) begun.push(chunk.subarray(start));
    }
    if (begun.length > 0) yield withoutReturn(Buffer.concat(begun));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @throws ConfigError `ERR_OPTION` if the file cannot be read */
export async function openFile(flag: string, path: string): Promise<Readable> {
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file.createReadStream();
    await file.close();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('ERR_OPTION', `${flag}: ${path} cannot be read: ${code}`, { cause, hint: 'check the path' });
  }
  throw new ConfigError('ERR_OPTION', `${flag}: ${path} is a folder`, { hint: 'give a file' });
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

function withoutReturn(line: Buffer): Uint8Array {
  const length = line[line.length - 1] === RETURN ? line.length - 1 : line.length;
  return new Uint8Array(line.buffer, line.byteOffset, length);
}
