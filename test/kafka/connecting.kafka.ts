import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { saslUser } from '../../scripts/kafka/cluster.ts';
import type { MillraceError } from '../../src/errors.ts';
import { type KafkaOptions, kafkaTransport, type SaslOptions } from '../../src/transports/kafka/index.ts';
import { failure, readAll, send, unique, until, values, valuesOf } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';

const sasl = (mechanism: SaslOptions['mechanism'], password = saslUser.password): SaslOptions => ({
  mechanism,
  username: saslUser.user,
  password,
});

/** The error of opening, and everything that was logged meanwhile. */
async function refusal(code: string, options: KafkaOptions): Promise<{ error: MillraceError; log: string }> {
  const lines: string[] = [];
  const log = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: log, info: log, warn: log, error: log };
  const error = await failure(code, kafkaTransport({ connectTimeoutMs: 1500, logger, ...options })());
  return { error, log: `${lines.join('\n')}\n${error.stack}\n${String(error.cause)}` };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function roundTrip(options: KafkaOptions): Promise<void> {
  const transport = await kafkaTransport(options)();
  try {
    const topic = unique('secure');
    await transport.topics.create(topic);
    await send(transport, topic, 0, values('hello'), 'gzip');
    expect(valuesOf(await readAll(transport, topic))).toEqual(['hello']);
  } finally {
    await transport.close();
  }
}

describe('a wrong address', () => {
  it('of a host that does not exist', async () => {
    const { error } = await refusal('ERR_TIMEOUT', { brokers: ['no-such-host.invalid:9092'] });
    expect(error.errorClass).toBe('retriable-exhausted');
    expect(error.message).toContain('no-such-host.invalid:9092');
    expect(error.message).toContain('check the spelling of the host');
  });

  it('of a port where nobody listens', async () => {
    const server = createServer();
    const address = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const { error } = await refusal('ERR_TIMEOUT', { brokers: [address] });
    expect(error.message).toContain(address);
    expect(error.message).toContain('nothing listens');
  });

  it('of something that never answers', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    const address = await listening(server);
    const { error } = await refusal('ERR_TIMEOUT', { brokers: [address], connectTimeoutMs: 300 });
    expect(error.message).toContain('no connection in 300 ms');
    server.close();
  });

  it('of a web server', async () => {
    const server = createHttpServer();
    const address = await listening(server);
    const { error } = await refusal('ERR_NOT_KAFKA', { brokers: [address] });
    expect(error.errorClass).toBe('config');
    expect(error.message).toContain(`${address} speaks HTTP`);
    server.close();
  });

  it('beside a right one does no harm', async () => {
    await roundTrip({ brokers: ['127.0.0.1:1', ...inject('brokers')] });
  });

  it('that is no address is refused before anything starts', () => {
    expect(() => kafkaTransport({ brokers: ['kafka://localhost:9092'] })).toThrow(/host:port/);
    expect(() => kafkaTransport({ brokers: [] })).toThrow(/host:port/);
  });
});

describe.runIf(ownCluster)('TLS', () => {
  it('works with the authority of the broker', async () => {
    const { tlsBrokers, authority } = await cluster().then(async (own) => ({
      tlsBrokers: own.tlsBrokers,
      authority: await own.authority(),
    }));
    await roundTrip({ brokers: tlsBrokers, ssl: { ca: authority } });
  });

  it('refuses a certificate that nobody trusts', async () => {
    const { error } = await refusal('ERR_TLS_CERTIFICATE', { brokers: (await cluster()).tlsBrokers, ssl: true });
    expect(error.errorClass).toBe('fatal');
    expect(error.hint).toContain('ssl.ca');
  });

  it('refuses a certificate for another host', async () => {
    const own = await cluster();
    const ssl = { ca: await own.authority(), servername: 'elsewhere.test' };
    const { error } = await refusal('ERR_TLS_CERTIFICATE', { brokers: own.tlsBrokers, ssl });
    expect(error.message).toContain('elsewhere.test');
  });

  it('is recognised where plain text was meant, and the other way round', async () => {
    const own = await cluster();
    const plain = await refusal('ERR_TLS_REQUIRED', { brokers: own.tlsBrokers });
    expect(plain.error.hint).toContain('set ssl');
    const tls = await refusal('ERR_TLS_REFUSED', { brokers: own.brokers, ssl: true });
    expect(tls.error.hint).toContain('leave ssl out');
  });
});

describe.runIf(ownCluster)('SASL', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('works with %s', async (mechanism) => {
    await roundTrip({ brokers: (await cluster()).saslBrokers, sasl: sasl(mechanism) });
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('works with %s over TLS', async (mechanism) => {
    const own = await cluster();
    await roundTrip({ brokers: own.saslTlsBrokers, ssl: { ca: await own.authority() }, sasl: sasl(mechanism) });
  });

  it('refuses a wrong password over TLS as it does without', async () => {
    const own = await cluster();
    const secured = { brokers: own.saslTlsBrokers, ssl: { ca: await own.authority() } };
    const { error } = await refusal('ERR_SASL', { ...secured, sasl: sasl('scram-sha-512', 'wrong-pass-7d1f') });
    expect(error.hint).toContain('password');
  });

  it('over TLS wants TLS', async () => {
    const { error } = await refusal('ERR_TLS_REQUIRED', {
      brokers: (await cluster()).saslTlsBrokers,
      sasl: sasl('plain'),
    });
    expect(error.hint).toContain('set ssl');
  });

  it.each(['plain', 'scram-sha-256'] as const)(
    'refuses a wrong password for %s, and keeps it secret',
    async (mechanism) => {
      const password = 'wrong-pass-7d1f';
      const { error, log } = await refusal('ERR_SASL', {
        brokers: (await cluster()).saslBrokers,
        sasl: sasl(mechanism, password),
      });
      expect(error.errorClass).toBe('fatal');
      expect(error.hint).toContain('password');
      expect(log).not.toContain(password);
    },
  );

  it('names the mechanisms that are offered', async () => {
    const options = { brokers: (await cluster()).saslBrokers, sasl: sasl('oauthbearer' as 'plain') };
    expect(() => kafkaTransport(options)).toThrow(/scram-sha-256/);
  });

  it('is missed where the broker wants it', async () => {
    const { error } = await refusal('ERR_TIMEOUT', { brokers: (await cluster()).saslBrokers });
    expect(error.message).toContain('sasl');
  });
});

describe('a missing topic', () => {
  it('is named by everyone who meets it', async () => {
    const transport = await kafkaTransport({ brokers: inject('brokers') })();
    const topic = unique('absent');
    const written = await failure('ERR_UNKNOWN_TOPIC', send(transport, topic, 0, values('x')));
    expect(written).toMatchObject({ topic, written: 'no' });
    await failure('ERR_UNKNOWN_TOPIC', transport.offsets(topic, 'latest'));
    const fetcher = transport.fetcher({ onReady: () => undefined });
    fetcher.assign(topic, 0, 0);
    const polled = await until('the error', () => {
      try {
        return fetcher.poll(topic, 0) && false;
      } catch (error) {
        return error as MillraceError;
      }
    });
    expect(polled.message).toContain(topic);
    await transport.close();
  });
});
