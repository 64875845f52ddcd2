import type { Growth } from './inputs.ts';
import { WRITES } from './model/amiss.ts';
import { type ProgramName, pickProgram } from './programs.ts';
import type { Random } from './random.ts';

export type Guarantee = 'at-least-once' | 'exactly-once';

/** Faults that leave every process as it is: they show what becomes of what it writes. */
const AT_PRODUCERS = [
  'lost reply of a request',
  'late request',
  'refused request',
  'cut',
  'lost replies',
  'slow network',
  'stuck node',
  'leaders move',
  'refused writes',
  'late writes',
  'slow markers',
] as const;

/** Kinds of faults, and what they are called in the report. */
export const KINDS = [
  ...AT_PRODUCERS,
  'crash',
  'crash at a request',
  'pause',
  'long pause',
  'stop',
  'join',
  'node down',
  'lost requests',
  'clock jump',
  'rebalance',
  'slow process',
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
  readonly on: 'kafka';
  readonly guarantee: Guarantee;
  readonly program: ProgramName;
  readonly instances: number;
  readonly nodes: number;
  readonly sources: number;
  readonly shuffles: number;
  readonly records: number;
  readonly live: boolean;
  /** How long things go wrong; records that come while it runs come in this time. */
  readonly troubleMs: number;
  readonly spanMs: number;
  readonly graceMs: number;
  readonly keys: number;
  readonly commitMs: number;
  readonly latencyMs: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  /** Whether all faults are such that no process has to begin anything again. */
  readonly atProducers: boolean;
  /** How many of the inputs others write in transactions, and how many more they write in ones that they abort. */
  readonly foreign: number;
  /** Whether a client writes many batches at a time beside it. */
  readonly feeds: boolean;
  /** In which partitions of the source others leave a transaction open behind all inputs, where no window is closed. */
  readonly hanging: readonly boolean[];
  /** When the source gets more partitions, if it does. */
  readonly grows: Growth | undefined;
  /** When the source is deleted and made anew, in virtual ms, if it is. */
  readonly renewedAt: number | undefined;
  /** Which of the processes find their stores again when they are started again. */
  readonly disks: readonly boolean[];
  readonly faults: readonly Fault[];
}

/** Requests that change something. */
const REQUESTS = [...WRITES, 'JoinGroup', 'SyncGroup', 'OffsetFetch'];

export const SESSION_MS = 6000;

export function makePlan(seed: number, random: Random): Plan {
  const live = random.chance(0.6);
  const instances = random.int(1, 3);
  // Most worlds are small: more of them see more than large ones do.
  const large = random.chance(0.1);
  const atProducers = random.chance(0.4);
  const sources = random.int(1, 4);
  const troubleMs = large ? 60_000 : random.int(4000, 16_000);
  const guarantee = random.chance(0.6) ? 'exactly-once' : 'at-least-once';
  const program = pickProgram(random, random.branch('program'));
  const more = random.branch('topics');
  const grows = makeGrowth(live, sources, troubleMs, more);
  // Nobody knows which records of the topic before were read: a pair may lack its other half.
  const renews = live && grows === undefined && program !== 'pairs' && more.chance(0.1);
  return {
    seed,
    on: 'kafka',
    guarantee,
    program,
    instances,
    nodes: random.int(1, 3),
    sources,
    shuffles: random.int(1, 3),
    records: large ? random.int(50, 400) : random.int(20, 120),
    live,
    troubleMs,
    spanMs: random.int(30_000, 600_000),
    // What comes while others are away is late, unless there is time for it; a backlog needs none.
    graceMs: live ? 1_800_000 : random.pick([0, 0, 5000]),
    keys: random.int(1, 12),
    commitMs: random.pick([20, 100, 250, 1000, 5000]),
    latencyMs: random.pick([1, 5, 50]),
    requestTimeoutMs: random.pick([1500, 4000, 10_000]),
    deliveryTimeoutMs: random.pick([4000, 12_000, 120_000]),
    atProducers,
    foreign: random.pick([0, 0, 0.1, 0.4]),
    feeds: random.chance(atProducers ? 0.85 : 0.2),
    hanging: makeHanging(sources, random),
    grows,
    renewedAt: renews ? more.int(0, troubleMs) : undefined,
    disks: Array.from({ length: instances + 2 }, () => random.chance(0.7)),
    faults: makeFaults(troubleMs, atProducers, random),
  };
}

/** In the first one there is none, because something has to close windows. */
function makeHanging(sources: number, random: Random): boolean[] {
  const hanging = random.chance(0.3);
  return Array.from({ length: sources }, (_, partition) => hanging && partition > 0 && random.chance(0.6));
}

/** Only where records come after that. */
export function makeGrowth(live: boolean, sources: number, troubleMs: number, random: Random): Growth | undefined {
  if (!live || !random.chance(0.2)) return undefined;
  return { at: random.int(0, troubleMs), partitions: sources + random.int(1, 3) };
}

function makeFaults(troubleMs: number, atProducers: boolean, random: Random): Fault[] {
  const kinds = atProducers ? AT_PRODUCERS : KINDS;
  const faults = Array.from({ length: random.int(0, atProducers ? 15 : 20) }, (): Fault => {
    const kind = random.pick(kinds);
    const long = kind === 'long pause' ? random.int(SESSION_MS, 5 * SESSION_MS) : random.int(10, 8000);
    return {
      at: random.int(0, troubleMs),
      kind,
      which: random.int(0, 9),
      forMs: long,
      request: random.pick(atProducers ? WRITES : REQUESTS),
    };
  });
  return faults.sort((left, right) => left.at - right.at);
}
