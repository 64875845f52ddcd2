import type { KafkaSettings } from './options.ts';

/** What is allowed and yet gives a password or the records away, in words; said once for each transport that is opened. */
export function warnOfInsecure({ brokers, logger, sasl, ssl }: KafkaSettings): void {
  const where = { brokers: brokers.join(', ') };
  if (sasl?.mechanism === 'plain' && ssl === undefined) {
    logger.warn(
      where,
      'SASL PLAIN without TLS: the password crosses the network as it is; set ssl, or use scram-sha-512',
    );
  }
  if (ssl?.rejectUnauthorized === false) {
    logger.warn(
      where,
      'rejectUnauthorized is false: anybody may pose as the broker; give the authority that signed its certificate, ssl: { ca }',
    );
  }
}
