import type { LocalFault, LocalPlan } from './local/local-plan.ts';
import type { Fault, Plan } from './plan.ts';

/** What a run came to. */
export interface Outcome {
  readonly plan: Plan | LocalPlan;
  /** What is wrong, in sentences; nothing if it passed. */
  readonly problems: readonly string[];
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface SimulateOptions {
  /** On what it runs; the seed decides unless given. */
  readonly on?: LogKind;
  /** Whether a fault of the plan takes place; all of them unless given. */
  readonly keeps?: (fault: Fault | LocalFault, at: number) => boolean;
  readonly log?: (line: string) => void;
}

export const LOG_KINDS = ['kafka', 'embedded', 'memory'] as const;
export type LogKind = (typeof LOG_KINDS)[number];
