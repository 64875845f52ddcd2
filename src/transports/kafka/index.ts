import type { OpenTransport } from '../../log/transport.ts';
import { KafkaTransport } from './kafka-transport.ts';
import { type KafkaOptions, kafkaSettings } from './options.ts';

export type { Logger } from './logger.ts';
export type { KafkaOptions, SaslOptions } from './options.ts';

/**
 * Runs pipelines on a Kafka cluster.
 *
 * @param options - Where the cluster is, how to log in, and the delivery guarantee.
 * @returns A function that opens the transport. Opening fails if no broker can be reached within `connectTimeoutMs`,
 * with an error that says what is wrong with the address, the certificate or the user.
 * @throws ConfigError `ERR_OPTION` immediately, for invalid options
 * @public
 */
export function kafkaTransport(options: KafkaOptions): OpenTransport {
  const settings = kafkaSettings(options);
  return () => KafkaTransport.open(settings);
}
