import type { Growth } from '../inputs.ts';
import { makeGrowth } from '../plan.ts';
import { type ProgramName, pickProgram } from '../programs.ts';
import type { Random } from '../random.ts';

/** What can happen to a process that has its log to itself. */
const OF_PROCESSES = ['crash', 'crash', 'stop', 'rebalance', 'lost tasks', 'slow process', 'clock jump'] as const;

/** What can happen to a folder and to those that use it. */
const OF_FOLDERS = [
  'pause',
  'second process',
  'take over',
  'power cut',
  'crash of the writer',
  'full disk',
  'failed commits',
  'transactions refused',
  'slow disk',
  'maintenance',
] as const;

export type LocalKind = (typeof OF_PROCESSES)[number] | (typeof OF_FOLDERS)[number];

export interface LocalFault {
  readonly at: number;
  readonly kind: LocalKind;
  /** Which of the processes. */
  readonly which: number;
  readonly forMs: number;
}

/** What one run on a log of this machine does, all of it a function of its seed. */
export interface LocalPlan {
  readonly seed: number;
  readonly on: 'memory' | 'embedded';
  readonly guarantee: 'exactly-once';
  readonly program: ProgramName;
  readonly sources: number;
  readonly shuffles: number;
  readonly records: number;
  readonly live: boolean;
  readonly troubleMs: number;
  readonly spanMs: number;
  readonly graceMs: number;
  readonly keys: number;
  /** `undefined` where each turn is committed at once. */
  readonly commitMs: number | undefined;
  /** How many inputs a client writes in one call at most. */
  readonly together: number;
  /** When the source gets more partitions, if it does. */
  readonly grows: Growth | undefined;
  readonly hanging: readonly boolean[];
  readonly faults: readonly LocalFault[];
}

export function makeLocalPlan(seed: number, on: LocalPlan['on'], random: Random): LocalPlan {
  const live = random.chance(0.6);
  const large = random.chance(0.05);
  const troubleMs = large ? 30_000 : random.int(500, 10_000);
  const sources = random.int(1, 3);
  return {
    seed,
    on,
    guarantee: 'exactly-once',
    program: pickProgram(random, random.branch('program')),
    sources,
    shuffles: random.int(1, 3),
    records: large ? random.int(100, 400) : random.int(5, 60),
    live,
    troubleMs,
    spanMs: random.int(30_000, 600_000),
    // What comes while nobody is there is late, unless there is time for it; a backlog needs none.
    graceMs: live ? 1_800_000 : random.pick([0, 0, 5000]),
    keys: random.int(1, 12),
    commitMs: random.pick([undefined, 20, 100, 1000, 5000]),
    together: random.pick([1, 1, 3, 10]),
    grows: makeGrowth(live, sources, troubleMs, random.branch('growth')),
    hanging: Array.from({ length: sources }, () => false),
    faults: makeFaults(on, troubleMs, large, random),
  };
}

function makeFaults(on: LocalPlan['on'], troubleMs: number, large: boolean, random: Random): LocalFault[] {
  const kinds = on === 'memory' ? OF_PROCESSES : [...OF_PROCESSES, ...OF_FOLDERS];
  const faults = Array.from({ length: random.int(0, large ? 20 : 10) }, (): LocalFault => {
    const kind = random.pick<LocalKind>(kinds);
    return { at: random.int(0, troubleMs), kind, which: random.int(0, 9), forMs: random.int(5, 3000) };
  });
  return faults.sort((left, right) => left.at - right.at);
}
