import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readConfig, withConfig } from './config.ts';
import { location } from './location.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-location-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ca = join(folder, 'ca.pem');
writeFileSync(ca, 'of an authority');

const at = { MILLRACE_BROKERS: 'broker:1' };

describe('TLS to the brokers', () => {
  it('is used for an authority that the environment or the file of the project names', () => {
    expect(location({}, { ...at, MILLRACE_TLS_CA: ca }).kafka?.ssl).toEqual({ ca: 'of an authority' });
    writeFileSync(join(folder, 'millrace.config.json'), '{ "brokers": "broker:1", "tlsCa": "ca.pem" }');
    expect(location({}, withConfig({}, readConfig(folder))).kafka?.ssl).toEqual({ ca: 'of an authority' });
    expect(() => location({}, { ...at, MILLRACE_TLS_CA: `${ca}.gone` })).toThrow(/MILLRACE_TLS_CA: .* cannot be read/);
  });

  it('is used or not as a variable says, and never guessed', () => {
    for (const text of ['1', 'true', 'TRUE']) expect(location({}, { ...at, MILLRACE_TLS: text }).kafka?.ssl).toBe(true);
    for (const text of ['', '0', 'false'])
      expect(location({}, { ...at, MILLRACE_TLS: text }).kafka?.ssl).toBeUndefined();
    for (const text of ['yes', 'on', 'no'])
      expect(() => location({}, { ...at, MILLRACE_TLS: text })).toThrow(/MILLRACE_TLS is/);
  });
});

it('a user for the brokers is not passed over where nothing says how he is to be known', () => {
  expect(() => location({ saslUser: 'ada' }, at)).toThrow(/without a mechanism/);
  expect(() => location({}, { ...at, MILLRACE_SASL_USERNAME: 'ada', MILLRACE_SASL_PASSWORD: 'x' })).toThrow(
    /mechanism/,
  );
  expect(location({}, { ...at, MILLRACE_SASL_USERNAME: '', MILLRACE_SASL_MECHANISM: '' }).kafka?.sasl).toBeUndefined();
});
