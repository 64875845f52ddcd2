import { describe, expect, it } from 'vitest';
import { connect, run, string, to, topic } from '../../index.ts';
import { thrown } from '../../operators/operators.fixtures.ts';
import { kafkaSettings } from './options.ts';

const brokers = ['localhost:9092'];
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

describe('options of a cluster', () => {
  it.each(['ca', 'cert', 'key'] as const)('know the path of a file from what is in it: ssl.%s', (name) => {
    for (const given of ['ca.crt', Buffer.from('/etc/ca.crt'), [PEM, './ca.crt']]) {
      const { code, message } = thrown(() => kafkaSettings({ brokers, ssl: { [name]: given } }));
      expect(code).toBe('ERR_OPTION');
      expect(message).toContain(`ssl.${name} is not in the form of PEM`);
      expect(message).toContain('readFile');
      expect(message, 'it may be a key').not.toContain('ca.crt');
    }
    for (const given of [PEM, Buffer.from(PEM), [PEM, Buffer.from(PEM)], undefined]) {
      expect(kafkaSettings({ brokers, ssl: { [name]: given } }).ssl).toBeDefined();
    }
  });

  it('take true for TLS, and no text', () => {
    expect(kafkaSettings({ brokers, ssl: true }).ssl).toEqual({});
    expect(thrown(() => kafkaSettings({ brokers, ssl: 'ca.crt' as never })).message).toContain('ssl is "ca.crt"');
  });

  it('are told from those beside them', async () => {
    const pipeline = topic('a', { value: string() }).pipe(to(topic('b', { value: string() })));
    for (const name of ['guarantee', 'ssl', 'sasl', 'clientId', 'sessionTimeoutMs']) {
      const options = { applicationId: 'app', brokers, [name]: 'exactly-once' };
      const expected = `has no option ${name} – it is an option of the cluster: { brokers, kafka: { ${name} } }`;
      expect(thrown(() => run(pipeline, options)).message).toBe(`run ${expected}`);
      await expect(connect({ brokers, [name]: true })).rejects.toThrow(`connect ${expected}`);
    }
    expect(thrown(() => run(pipeline, { applicationId: 'app', brokers, brokrs: 1 } as never)).message).toContain(
      'did you mean brokers?',
    );
  });
});
