import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { inputLines } from './input-lines.ts';

const never = new AbortController().signal;

async function read(...chunks: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const input = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk, 'latin1')),
    { objectMode: false },
  );
  for await (const line of inputLines(input, never)) lines.push(Buffer.from(line).toString('latin1'));
  return lines;
}

it('cuts bytes at line feeds, and nowhere else', async () => {
  expect(await read('a\nb', 'c', '\n\nd\r', '\ne\rf\xff\x80\xe2\x80\xa8g')).toEqual([
    'a',
    'bc',
    '',
    'd',
    'e\rf\xff\x80\xe2\x80\xa8g',
  ]);
  expect(await read('a\n')).toEqual(['a']);
  expect(await read()).toEqual([]);
});

it('ends when it is told to, without the line that has begun', async () => {
  const stop = new AbortController();
  const input = new Readable({ read: () => undefined });
  input.push('a\nb');
  const lines: string[] = [];
  for await (const line of inputLines(input, stop.signal)) {
    lines.push(Buffer.from(line).toString());
    stop.abort();
  }
  expect(lines).toEqual(['a']);
});

it('tells what became of the input', async () => {
  const input = new Readable({
    read() {
      this.destroy(new Error('the disk is gone'));
    },
  });
  await expect(inputLines(input, never).next()).rejects.toThrow('the disk is gone');
});
