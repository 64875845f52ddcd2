import { agg, bytes, inspect, int32, string, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

function collect() {
  const lines: string[] = [];
  return { lines, stream: { write: (line: string) => void lines.push(line.trimEnd()), columns: 80 } };
}

it('prints records as a table and passes them on', () => {
  const numbers = topic('numbers', { key: string(), value: int32() });
  const { lines, stream } = collect();
  const driver = new TestDriver(
    numbers.pipe(
      inspect({ stream }),
      windowBy(
        tumbling({ size: '1m', grace: '0s' }),
        agg.sum((n) => n),
        { store: 'sums' },
      ),
      inspect({ stream, label: 'sums' }),
    ),
  );
  driver.pipe(numbers, { key: 'a', value: 1, timestamp: 0 });
  driver.pipe(numbers, { key: 'a', value: 2, timestamp: 61_000 });
  expect(lines).toEqual([
    'time                 place         key     value',
    '1970-01-01 00:00:00  numbers/0@0   "a"     1',
    '1970-01-01 00:01:01  numbers/0@1   "a"     2',
    expect.stringMatching(/^sums .*time/),
    expect.stringMatching(/^sums .*1970-01-01 00:00:00 to 00:01:00 .*"a" .* 1$/),
  ]);
});

it('tells only the number of what is too much for a second', () => {
  const numbers = topic('numbers', { key: string(), value: int32() });
  const { lines, stream } = collect();
  const driver = new TestDriver(numbers.pipe(inspect({ stream, perSecond: 2 })));
  for (let value = 0; value < 1500; value += 1) driver.pipe(numbers, { key: 'a', value, timestamp: 0 });
  driver.advanceTime('2s');
  driver.pipe(numbers, { key: 'a', value: 1, timestamp: 0 });
  expect(lines.filter((line) => line.includes('more'))).toEqual(['… 1,498 more']);
  expect(lines).toHaveLength(5);
});

it('lets no record steer the terminal, and cuts what is long', () => {
  const texts = topic('texts', { key: string(), value: string() });
  const raw = topic('raw', { value: bytes() });
  const { lines, stream } = collect();
  const driver = new TestDriver([texts.pipe(inspect({ stream })), raw.pipe(inspect({ stream }))]);
  driver.pipe(texts, { key: '\u001b[2J', value: `<b>\u0007${'x'.repeat(10_000)}`, timestamp: 0 });
  driver.pipe(raw, { value: new Uint8Array(5), timestamp: 0 });
  const all = lines.join('\n');
  expect(all).not.toMatch(/[^\P{Cc}\n]/u);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(all).toContain('<5 bytes: 00 00 00 00 00>');
});

it('refuses options that are wrong', () => {
  expect(() => inspect({ perSecond: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  expect(() => inspect({ lable: 'x' } as never)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
});
