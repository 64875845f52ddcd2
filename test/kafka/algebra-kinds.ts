import type { KafkaOptions } from 'millrace/kafka';
import { labels, payments, prices } from './algebra-joins.ts';
import { finals, sessions } from './algebra-windows.ts';

/** Each pipeline by what it is about; `name` makes its topics its own. */
export const workloads = { sessions, payments, labels, finals, prices };

export type Kind = keyof typeof workloads;

/** What a process of the application is told. */
export interface AlgebraOptions {
  readonly kind: Kind;
  readonly name: string;
  readonly brokers: readonly string[];
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
}
