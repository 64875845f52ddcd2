import { describe, expect, it } from 'vitest';
import { warnOfInsecure } from './insecure.ts';
import { type KafkaOptions, kafkaSettings } from './options.ts';

function warnings(options: Omit<KafkaOptions, 'brokers' | 'logger'>): string[] {
  const lines: string[] = [];
  const quiet = (): void => undefined;
  const warn = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  warnOfInsecure(
    kafkaSettings({ ...options, brokers: ['b:9092'], logger: { debug: quiet, info: quiet, warn, error: quiet } }),
  );
  return lines;
}

describe('settings that give secrets away are warned of', () => {
  const user = { username: 'u', password: 'geheim' };
  it.each<[Omit<KafkaOptions, 'brokers' | 'logger'>, RegExp[]]>([
    [{}, []],
    [{ ssl: true }, []],
    [{ sasl: { mechanism: 'plain', ...user }, ssl: true }, []],
    [{ sasl: { mechanism: 'scram-sha-512', ...user } }, []],
    [{ sasl: { mechanism: 'plain', ...user } }, [/SASL PLAIN without TLS/]],
    [{ ssl: { rejectUnauthorized: false } }, [/rejectUnauthorized is false/]],
    [{ sasl: { mechanism: 'plain', ...user }, ssl: { rejectUnauthorized: false } }, [/rejectUnauthorized is false/]],
  ])('%j', (options, wanted) => {
    const lines = warnings(options);
    expect(lines).toEqual(wanted.map((pattern) => expect.stringMatching(pattern) as string));
    expect(lines.join()).not.toContain('geheim');
  });
});
