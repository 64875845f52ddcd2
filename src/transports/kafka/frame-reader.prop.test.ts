import { array, assert as check, constantFrom, integer, oneof, property, tuple, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { type BadFrame, FrameReader } from './frame-reader.ts';

const MAX = 300;

/** Frames to try, as a number for a long run: MILLRACE_FRAMES=100000. */
const RUNS = Math.max(1, Math.floor(Number(process.env['MILLRACE_FRAMES'] ?? 4000) / 4));

function frame(length: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(length);
  return Buffer.concat([head, bytes]);
}

const sound = uint8Array({ minLength: 4, maxLength: MAX }).map((bytes) => frame(bytes.length, bytes));
const lying = tuple(
  oneof(integer(), integer({ min: -1, max: MAX + 1 }), constantFrom(0, 3, -1, 2 ** 31 - 1, -(2 ** 31))),
  uint8Array({ maxLength: MAX }),
).map(([length, bytes]) => frame(length, bytes));
const stream = array(oneof({ weight: 3, arbitrary: sound }, { weight: 1, arbitrary: lying }), {
  minLength: 4,
  maxLength: 4,
});

interface Seen {
  readonly frames: string[];
  readonly bad: BadFrame[];
}

function read(bytes: Buffer, cuts: readonly number[]): Seen {
  const seen: Seen = { frames: [], bad: [] };
  const reader = new FrameReader(MAX, {
    frame: (correlationId, payload) => {
      expect(payload.buffer.byteLength).toBeLessThanOrEqual(MAX);
      seen.frames.push(`${correlationId} ${payload.toString('hex')}`);
    },
    bad: (error) => void seen.bad.push(error),
  });
  let at = 0;
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    reader.read(bytes.subarray(at, cut));
    at = cut;
  }
  reader.read(bytes);
  if (seen.bad.length > 0) expect(seen.bad).toHaveLength(1);
  return seen;
}

/** What a reader is to make of some bytes, written down as plainly as can be. */
function model(bytes: Buffer): Pick<Seen, 'frames'> & { readonly bad: boolean } {
  const frames: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readInt32BE(at);
    if (length < 4 || length > MAX) return { frames, bad: true };
    if (at + 4 + length > bytes.length) break;
    frames.push(`${bytes.readInt32BE(at + 4)} ${bytes.subarray(at + 8, at + 4 + length).toString('hex')}`);
    at += 4 + length;
  }
  return { frames, bad: false };
}

it('finds the same frames however the bytes are cut, and stops at the first that is none', () => {
  check(
    property(stream, array(integer({ min: 0, max: 2000 }), { maxLength: 8 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames);
      const expected = model(Buffer.concat([bytes, bytes]));
      const seen = read(bytes, cuts);
      expect(seen.frames).toEqual(expected.frames);
      expect(seen.bad.length > 0).toBe(expected.bad);
    }),
    { numRuns: RUNS },
  );
});

it('gives up when a frame cannot be used', () => {
  const bad: BadFrame[] = [];
  const refuse = (): void => {
    throw new Error('nobody asked for it');
  };
  const reader = new FrameReader(MAX, { frame: refuse, bad: (error) => void bad.push(error) });
  reader.read(frame(8, new Uint8Array(8)));
  reader.read(frame(8, new Uint8Array(8)));
  expect(bad.map(({ message }) => message)).toEqual(['nobody asked for it']);
});
