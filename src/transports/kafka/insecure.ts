import type { KafkaSettings } from './options.ts';

/** Warns about allowed settings that expose a password or records; once for each opened transport. */
export function warnOfInsecure({ brokers, logger, sasl, ssl }: KafkaSettings): void {
  const where = { brokers: brokers.join(', ') };
  if (sasl?.mechanism === 'plain' && ssl === undefined) {
    logger.warn(where, 'SASL PLAIN without TLS: the password is sent unencrypted; set ssl, or use scram-sha-512');
  }
  if (ssl?.rejectUnauthorized === false) {
    logger.warn(
      where,
      'rejectUnauthorized is false: anybody can pose as the broker; give the authority that signed its certificate, ssl: { ca }',
    );
  }
}
