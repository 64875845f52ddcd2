import { PROGRAM_NAMES, type ProgramName } from './programs.ts';
import type { Random } from './random.ts';

export type Guarantee = 'at-least-once' | 'exactly-once';

/** Kinds of faults, and what they are called in the report. */
export const KINDS = [
  'crash',
  'crash at a request',
  'lost reply of a request',
  'late request',
  'pause',
  'long pause',
  'stop',
  'join',
  'cut',
  'node down',
  'lost replies',
  'lost requests',
  'slow network',
  'clock jump',
  'rebalance',
  'slow process',
  'slow markers',
  'full disk',
] as const;
export type Kind = (typeof KINDS)[number];

/** Something that goes wrong, at a time and for some time. */
export interface Fault {
  readonly at: number;
  readonly kind: Kind;
  /** Which of the processes, or of the nodes. */
  readonly which: number;
  readonly forMs: number;
  /** Of requests it is the next one of this name. */
  readonly request: string;
}

/** What one run does, all of it a function of its seed. */
export interface Plan {
  readonly seed: number;
  readonly guarantee: Guarantee;
  readonly program: ProgramName;
  readonly instances: number;
  readonly nodes: number;
  readonly sources: number;
  readonly shuffles: number;
  readonly records: number;
  readonly live: boolean;
  readonly comeMs: number;
  readonly spanMs: number;
  readonly graceMs: number;
  readonly keys: number;
  readonly commitMs: number;
  readonly latencyMs: number;
  /** Which of the processes find their stores again when they are started again. */
  readonly disks: readonly boolean[];
  readonly faults: readonly Fault[];
}

/** Requests that change something. */
const REQUESTS = [
  'Produce',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
  'OffsetCommit',
  'InitProducerId',
  'JoinGroup',
  'SyncGroup',
  'OffsetFetch',
];

export const SESSION_MS = 6000;
/** How long things go wrong. */
export const TROUBLE_MS = 60_000;

export function makePlan(seed: number, random: Random): Plan {
  const live = random.chance(0.5);
  const instances = random.int(1, 3);
  return {
    seed,
    guarantee: random.chance(0.5) ? 'exactly-once' : 'at-least-once',
    program: random.pick(PROGRAM_NAMES),
    instances,
    nodes: random.int(1, 3),
    sources: random.int(1, 4),
    shuffles: random.int(1, 3),
    records: random.int(50, 400),
    live,
    comeMs: TROUBLE_MS,
    spanMs: random.int(30_000, 600_000),
    // What comes while others are away is late, unless there is time for it; a backlog needs none.
    graceMs: live ? 1_800_000 : random.pick([0, 0, 5000]),
    keys: random.int(1, 12),
    commitMs: random.pick([20, 100, 250, 1000, 5000]),
    latencyMs: random.pick([1, 5, 50]),
    disks: Array.from({ length: instances + 2 }, () => random.chance(0.7)),
    faults: makeFaults(random),
  };
}

function makeFaults(random: Random): Fault[] {
  const faults = Array.from({ length: random.int(0, 20) }, (): Fault => {
    const kind = random.pick(KINDS);
    const long = kind === 'long pause' ? random.int(SESSION_MS, 5 * SESSION_MS) : random.int(10, 8000);
    return {
      at: random.int(0, TROUBLE_MS),
      kind,
      which: random.int(0, 9),
      forMs: long,
      request: random.pick(REQUESTS),
    };
  });
  return faults.sort((left, right) => left.at - right.at);
}
