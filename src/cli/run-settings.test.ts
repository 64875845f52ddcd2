import { describe, expect, it } from 'vitest';
import * as library from '../index.ts';
import type { PipelineFile } from './pipeline-file.ts';
import { type RunFlags, runSettings } from './run-settings.ts';

const TOKEN = 'a-token-of-sixteen-or-more';

const settings = (own: object, flags: RunFlags, env: Readonly<Record<string, string>> = {}, dev = false) => {
  const file = { exports: { options: own }, library, path: 'clicks.ts' } as unknown as PipelineFile;
  return runSettings(file, flags, env, new AbortController().signal, dev);
};

const dashboardOf = (own: unknown, flags: RunFlags, dev = false): unknown =>
  settings({ dashboard: own }, flags, {}, dev).dashboard;

it('serves the dashboard for a flag as the file says who sees what of it', () => {
  const own = { port: 1, token: TOKEN, mask: () => '•••' };
  expect(dashboardOf(own, { dashboard: true })).toEqual(own);
  expect(dashboardOf(own, { dashboard: '8080' })).toEqual({ ...own, port: 8080 });
  expect(dashboardOf(own, {}, true)).toEqual(own);
});

it('serves the dashboard for a flag where the file says nothing of it', () => {
  expect(dashboardOf(undefined, { dashboard: true })).toBe(true);
  expect(dashboardOf(true, { dashboard: '8080' })).toEqual({ port: 8080 });
  expect(dashboardOf(undefined, {})).toBeUndefined();
  expect(dashboardOf(undefined, {}, true)).toBe(true);
});

describe('a log that a flag or the environment names', () => {
  const sasl = { mechanism: 'plain', username: 'ada', password: 'of the file' };
  const kafka = { guarantee: 'exactly-once', ssl: true, sasl };

  it('is used as the file says', () => {
    const own = { brokers: ['file:1'], kafka };
    for (const [flags, env] of [
      [{ brokers: 'flag:1' }, {}],
      [{}, { MILLRACE_BROKERS: 'flag:1' }],
    ] as const) {
      expect(settings(own, flags, env)).toMatchObject({ brokers: ['flag:1'], kafka: { ...kafka, clientId: 'clicks' } });
    }
    expect(settings({ kafka: { clientId: 'own' } }, { brokers: 'flag:1' }).kafka?.clientId).toBe('own');
    expect(settings({ durability: 'commit', create: false }, { path: 'data' })).toMatchObject({
      path: 'data',
      durability: 'commit',
      create: false,
    });
  });

  it('is used as flags and the environment say, where they say it too', () => {
    const env = {
      MILLRACE_SASL_MECHANISM: 'scram-sha-512',
      MILLRACE_SASL_USERNAME: 'bob',
      MILLRACE_SASL_PASSWORD: 'x',
    };
    expect(settings({ kafka }, { brokers: 'flag:1', guarantee: 'at-least-once' }, env).kafka).toMatchObject({
      guarantee: 'at-least-once',
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: 'bob', password: 'x' },
    });
  });

  it('may be that of the file, and is reached as flags and the environment say', () => {
    const env = { MILLRACE_SASL_MECHANISM: 'plain', MILLRACE_SASL_USERNAME: 'bob', MILLRACE_SASL_PASSWORD: 'x' };
    expect(settings({ brokers: ['file:1', 'file:2'] }, { tls: true }, env)).toMatchObject({
      brokers: ['file:1', 'file:2'],
      kafka: { ssl: true, sasl: { mechanism: 'plain', username: 'bob', password: 'x' } },
    });
    expect(settings({ brokers: ['file:1'], kafka }, {})).toMatchObject({ brokers: ['file:1'], kafka });
    expect(() => settings({ path: 'data' }, { tls: true })).toThrow(/without brokers/);
  });

  it('is another kind of log than that of the file, of which nothing is left', () => {
    const folder = settings({ brokers: ['file:1'], kafka }, { path: 'data' });
    expect([folder.path, folder.brokers, folder.kafka]).toEqual(['data', undefined, undefined]);
    const cluster = settings({ path: 'data', durability: 'commit' }, { brokers: 'flag:1' });
    expect([cluster.path, cluster.durability, cluster.brokers]).toEqual([undefined, undefined, ['flag:1']]);
  });
});
