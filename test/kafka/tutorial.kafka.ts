import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { saslUser } from '../../scripts/kafka/cluster.ts';
import { connect } from '../../src/connect.ts';
import { runExample } from '../examples/run-example.ts';
import { cluster, ownCluster } from './cluster.ts';

async function runTutorial(args: readonly string[]): Promise<string> {
  const env = { KAFKA_PASSWORD: saslUser.password };
  const { code, stderr, stdout } = await runExample('kafka-tutorial', args, env);
  expect(stderr).toBe('');
  expect(stdout).toContain('✓ 9 steps found what they should');
  expect(code).toBe(0);
  return stdout;
}

describe('examples/kafka-tutorial on Kafka', () => {
  it('finds what it finds on the embedded log, and removes its topics', async () => {
    await runTutorial(['--brokers', inject('brokers').join(',')]);
    const client = await connect({ brokers: inject('brokers') });
    expect((await client.topics.list()).filter((name) => name.startsWith('tutorial-'))).toEqual([]);
    await client.close();
  });

  it.runIf(ownCluster)('does so with TLS', async () => {
    const { folder, tlsBrokers } = await cluster();
    const args = ['--brokers', tlsBrokers.join(','), '--ca', join(folder, 'tls', 'ca.crt')];
    expect(await runTutorial(args)).toContain('with TLS');
  });

  it.runIf(ownCluster).each(['plain', 'scram-sha-256'])('does so with SASL: %s', async (mechanism) => {
    const { saslBrokers } = await cluster();
    const args = ['--brokers', saslBrokers.join(','), '--user', saslUser.user, '--mechanism', mechanism];
    expect(await runTutorial(args)).toContain(`as user alice (${mechanism})`);
  });

  it.runIf(ownCluster)('does so with both', async () => {
    const { folder, saslTlsBrokers } = await cluster();
    const tls = ['--brokers', saslTlsBrokers.join(','), '--ca', join(folder, 'tls', 'ca.crt')];
    const stdout = await runTutorial([...tls, '--user', saslUser.user, '--mechanism', 'scram-sha-512']);
    expect(stdout).toContain('with TLS');
    expect(stdout).toContain('as user alice (scram-sha-512)');
  });
});
