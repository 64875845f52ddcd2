import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { processOutput } from './output.ts';

const EVIL = 'a\u001b]0;b\u0007\tc\nd';
const SHOWN = 'a\\x1b]0;b\\x07\tc\nd';

function written(isTTY: boolean, raw: boolean): { readonly data: string; readonly said: string } {
  const [stdout, stderr] = [0, 1].map(() => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY }));
  const output = processOutput({ stdout, stderr } as unknown as NodeJS.Process, raw, () => undefined);
  void output.data(EVIL);
  output.say(EVIL);
  return { data: String(stdout?.read()), said: String(stderr?.read()) };
}

it('writes nothing to a terminal that this would obey, be it data or what is said of it', () => {
  expect(written(true, false)).toEqual({ data: SHOWN, said: `${SHOWN}\n` });
  expect(written(true, true)).toEqual({ data: EVIL, said: `${EVIL}\n` });
  expect(written(false, false)).toEqual({ data: EVIL, said: `${EVIL}\n` });
});
