import { readFileSync } from 'node:fs';
import type { ConnectOptions } from 'millrace';
import type { Options } from '../shared/options.ts';

export const logOptions = {
  brokers: { type: 'string' },
  ca: { type: 'string' },
  user: { type: 'string' },
  mechanism: { type: 'string' },
} as const;

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

/** The log of the tutorial: a folder, or a cluster, with TLS and a user if they are given. */
export function logOf({ given, path }: Options): { readonly log: ConnectOptions; readonly words: string } {
  const { brokers, ca, mechanism = 'scram-sha-512', user } = given;
  if (typeof brokers !== 'string') return { log: { path }, words: `the embedded log in ${path}` };
  const known = MECHANISMS.find((each) => each === mechanism);
  if (known === undefined) throw new Error(`--mechanism ${mechanism}: there are ${MECHANISMS.join(', ')}`);
  const ssl = typeof ca === 'string' ? { ssl: { ca: readFileSync(ca) } } : {};
  // Anyone who lists processes could see a password on the command line.
  const password = process.env['KAFKA_PASSWORD'] ?? '';
  const sasl = typeof user === 'string' ? { sasl: { mechanism: known, username: user, password } } : {};
  const words = [
    `Kafka at ${brokers}`,
    ...(typeof ca === 'string' ? ['with TLS'] : []),
    ...(typeof user === 'string' ? [`as user ${user} (${known})`] : []),
  ];
  return { log: { brokers: brokers.split(','), kafka: { ...ssl, ...sasl } }, words: words.join(' ') };
}
