import type { Pipeline } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';
import type { Observable } from 'rxjs';
import type { Workload } from './algebra.ts';
import { labels, payments, prices } from './algebra-joins.ts';
import { finals, sessions } from './algebra-windows.ts';

/** Each pipeline by what it is about; `name` makes its topics its own. */
const workloads = { sessions, payments, labels, finals, prices };

/** All of them, each with topics of its own, to be run as one application. */
export const allWork = (name: string): (Workload & { readonly kind: string })[] =>
  Object.entries(workloads).map(([kind, make]) => ({ kind, ...make(`${name}-${kind}`) }));

export const pipelineOf = (work: readonly Workload[]): Pipeline =>
  work.flatMap(({ pipeline }) => pipeline as readonly Observable<unknown>[]);

/** What a process of the application is told. */
export interface AlgebraOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
}
