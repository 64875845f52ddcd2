import { describe, expect, it } from 'vitest';
import { StepMeters } from '../metrics/step-meters.ts';
import type { ShownRecord } from './live-data.ts';
import { Peeks } from './peek.ts';
import { Shown } from './shown.ts';

const record = (value: unknown) => ({
  key: 'k',
  value,
  timestamp: 1,
  headers: [],
  topic: 't',
  partition: 0,
  offset: 5,
});
const plain = new Shown();

describe('what is shown of a record', () => {
  it('is short, whatever its size: a value of 100 MB is not read', () => {
    for (const value of [
      'x'.repeat(100_000_000),
      new Uint8Array(100_000_000),
      Array.from({ length: 1e6 }, () => 'y'),
    ]) {
      expect(plain.record(record(value), 't').value.length).toBeLessThanOrEqual(2001);
    }
  });

  it('is the text of bytes that are one, also where a character lies at the end of what is looked at', () => {
    const text = `${'a'.repeat(4095)}é${'b'.repeat(100)}`;
    expect(plain.value(new TextEncoder().encode(text), 't')).toMatch(/^"a{1999}…$/);
    expect(plain.value(new TextEncoder().encode('{"a":1}'), 't')).toBe('"{\\"a\\":1}"');
    expect(plain.value(new Uint8Array([0, 255]), 't')).toBe('<2 bytes: 00 ff>');
  });

  it('is nothing when the mask fails, and never what it should hide', () => {
    const broken = new Shown(() => {
      throw new Error('secret');
    });
    expect(broken.value('secret', 't')).toBe('(not shown: the mask failed)');
    const headers = broken.headers([['h', new Uint8Array(1)]], 't');
    expect(headers).toEqual([{ name: 'h', value: '(not shown: the mask failed)' }]);
  });
});

describe('peeks', () => {
  it('show one record, and no other one before a tenth of a second is over', () => {
    const meters = new StepMeters();
    const step = {};
    const input = meters.input(step, 0, undefined);
    const peeks = new Peeks(meters, [step], ['step'], plain);
    const seen: ShownRecord[] = [];
    const end = peeks.open({ step: 0, input: 0 }, (shown) => seen.push(shown));
    const pass = (value: unknown): void => {
      input.records += 1;
      if (input.wanted) input.show(record(value));
    };
    for (let n = 0; n < 1000; n += 1) pass(n);
    expect(seen.map(({ value }) => value)).toEqual(['0']);
    end?.();
    pass(1);
    expect(seen).toHaveLength(1);
    expect(input.wanted).toBe(false);
  });

  it('are bounded in number, and refuse what is not there', () => {
    const meters = new StepMeters();
    const steps = Array.from({ length: 6 }, () => ({}));
    for (const step of steps) meters.input(step, 0, undefined);
    const peeks = new Peeks(meters, steps, [], plain);
    const opened = steps.map((_, step) => peeks.open({ step, input: 0 }, () => {}));
    expect(opened.map((end) => end !== undefined)).toEqual([true, true, true, true, false, false]);
    expect(peeks.open({ step: 99, input: 0 }, () => {})).toBeUndefined();
    expect(peeks.open({ step: 0, input: 7 }, () => {})).toBeUndefined();
    for (const end of opened) end?.();
  });
});
