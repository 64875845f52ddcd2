import type { Pipeline } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';
import type { Observable } from 'rxjs';
import type { Workload } from './algebra.ts';
import { labels, payments, prices } from './algebra-joins.ts';
import { carts } from './algebra-ttl.ts';
import { finals, sessions } from './algebra-windows.ts';

/** Each pipeline by what it is about; `name` makes its topics its own. */
const workloads = { sessions, payments, labels, finals, prices };

type Work = Workload & { readonly kind: string };

const workOf = (makers: Readonly<Record<string, (name: string) => Workload>>, name: string): Work[] =>
  Object.entries(makers).map(([kind, make]) => ({ kind, ...make(`${name}-${kind}`) }));

/** All of them, each with topics of its own, to be run as one application. */
export const allWork = (name: string): Work[] => workOf(workloads, name);

/** Those, and what needs processes that read everything before they stop. */
export const restoredWork = (name: string): Work[] => workOf({ ...workloads, carts }, name);

export const pipelineOf = (work: readonly Workload[]): Pipeline =>
  work.flatMap(({ pipeline }) => pipeline as readonly Observable<unknown>[]);

/** What a process of the application is told. */
export interface AlgebraOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
}
