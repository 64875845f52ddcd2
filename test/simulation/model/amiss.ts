import type { Random } from '../random.ts';

/** How a request goes wrong at the broker that gets it. */
export interface Amiss {
  /** What is answered. */
  readonly code: number;
  /** It is carried out all the same: what failed is what comes after that. */
  readonly done: boolean;
  /** Which of the partitions it happens to. */
  readonly hits: (partition: number) => boolean;
}

const COORDINATOR: readonly (readonly [code: number, done: boolean])[] = [
  [14, false],
  [15, false],
  [15, true],
  [16, false],
];

/** What Kafka answers, and whether it has done what it was asked for. */
const CODES: ReadonlyMap<string, typeof COORDINATOR> = new Map([
  [
    'Produce',
    [
      // It has no leader here, or too few replicas are in sync.
      [6, false],
      [19, false],
      [56, false],
      // It is in the log, and its replicas did not follow in time.
      [7, true],
      [20, true],
    ],
  ],
  ['InitProducerId', [...COORDINATOR, [51, false]]],
  ['AddPartitionsToTxn', [...COORDINATOR, [51, false]]],
  ['AddOffsetsToTxn', [...COORDINATOR, [51, false]]],
  ['EndTxn', [...COORDINATOR, [51, false]]],
  ['TxnOffsetCommit', COORDINATOR],
  ['OffsetCommit', COORDINATOR],
]);

/**
 * What else is answered to those who go on when records are refused for good: the topic takes no batches of that size any more,
 * which it says of one that is in its log, too.
 */
const FOR_GOOD: typeof COORDINATOR = [
  [7, true],
  [20, true],
  [10, false],
  [10, false],
  [10, false],
  [10, false],
];

/** Requests of producers, which change what readers find. */
export const WRITES: readonly string[] = [...CODES.keys()];

/**
 * One of the ways in which a request of that name can go wrong.
 *
 * @param lenient - Whether the sender goes on when records are refused for good.
 */
export function amissOf(name: string, random: Random, lenient: boolean): Amiss | undefined {
  const codes = CODES.get(name);
  if (codes === undefined) return undefined;
  const [code, done] = random.pick(lenient && name === 'Produce' ? [...codes, ...FOR_GOOD] : codes);
  // Of a request for several partitions some go well.
  const salt = random.int(0, 3);
  return { code, done, hits: (partition) => ((partition + salt) & 3) < 3 };
}

/** The outcome of something that may go wrong. */
export function withAmiss(amiss: Amiss | undefined, work: () => number): number {
  if (amiss === undefined) return work();
  return (amiss.done ? work() : 0) || amiss.code;
}
